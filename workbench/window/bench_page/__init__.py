"""The Bench page: plots and docks of a live or replayed bench."""
