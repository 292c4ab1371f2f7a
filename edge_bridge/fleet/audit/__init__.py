"""The audit log of a fleet: each entry holds the hash of the one before, so that no entry can be changed unnoticed."""
