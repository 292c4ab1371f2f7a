"""Drivers of instruments that use SCPI-like text over VISA."""
