"""Models and what keeps them true: cells, packs, estimators. No I/O."""
