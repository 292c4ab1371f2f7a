"""Decide, then gate: controllers, gate, guard, loop."""
