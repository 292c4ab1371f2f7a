"""Everything that touches a wire, a clock or a disk; the words of the code base live in `snapshot`."""
