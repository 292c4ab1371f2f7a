"""Certification: cases are pytest functions on a live bench; what they find becomes a certificate and a report."""
