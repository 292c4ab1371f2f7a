"""The only Qt; also the command line and the composition root."""
