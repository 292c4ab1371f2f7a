"""Backups of a fleet's database: one file with a manifest, made while the fleet writes, and restored whole or not."""
