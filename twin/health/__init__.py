"""The health of cells from tables and logs: grading by pulses, capacity, resistance, end of life. No I/O."""
