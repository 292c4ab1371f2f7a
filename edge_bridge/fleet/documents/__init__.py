"""The fleet's documents behind one port, `DocumentStore`: in its own database, or in MongoDB."""
