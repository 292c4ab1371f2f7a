"""The window: a Qt client of one session, and nothing that a headless run would miss."""
