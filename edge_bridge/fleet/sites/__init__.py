"""The sites of a fleet."""
