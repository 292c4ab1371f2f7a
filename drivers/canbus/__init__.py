"""CAN buses and devices under test described by data."""
