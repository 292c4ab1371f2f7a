"""The only package with Qt; also the command line and the composition root."""
