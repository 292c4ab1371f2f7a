"""The window: a Qt client of one session; a headless run needs nothing of it."""
