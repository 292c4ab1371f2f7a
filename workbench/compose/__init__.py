"""The composition roots: the only places that pick real or emulated parts."""
