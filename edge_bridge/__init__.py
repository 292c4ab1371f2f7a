"""Signed bundles, the edge beside a pack, the fleet. Held for the issue that closes the chain."""
