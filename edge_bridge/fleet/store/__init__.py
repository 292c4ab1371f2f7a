"""The fleet's rows behind one port, `FleetStore`: an SQLite file, or a PostgreSQL server."""
