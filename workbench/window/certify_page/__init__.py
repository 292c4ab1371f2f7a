"""The Certify page: select cases, run them, see why one failed, open earlier certificates."""
