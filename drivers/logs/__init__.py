"""Laboratory and field logs of cells: the one reader, `log.read_log`, for every command, import and page."""
