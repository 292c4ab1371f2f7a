"""Long work outside the window's thread: child processes and threads behind one interface."""
