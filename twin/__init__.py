"""Models of cells and packs, and estimators. No I/O."""
