"""Jobs about the twin of a device: its estimates over a past span, its forecast over the next hours."""
