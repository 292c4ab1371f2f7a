"""The signed bundle: its members, its verification, and the configuration that an edge builds from it."""
