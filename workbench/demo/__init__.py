"""A whole fleet on one machine, to look at: broker, database, host, two edges and light nodes."""
