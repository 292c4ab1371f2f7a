"""Instruments that speak SCPI-like text over VISA."""
