"""Long work beside the window: child processes and threads behind one interface."""
