"""Everything that accesses a wire, a clock or a disk; `snapshot` defines the basic terms of the code base."""
