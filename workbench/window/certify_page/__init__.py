"""The Certify page: pick cases, run them, see why one failed, open what was certified before."""
