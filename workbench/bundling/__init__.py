"""Bundles from runs: collect the evidence, record golden vectors, sign everything."""
