"""A client of a fleet's API for scripts and the window: the standard library and websockets, no web framework."""
