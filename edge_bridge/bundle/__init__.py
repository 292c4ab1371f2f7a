"""The signed bundle: what it is made of, how it is proven, and what an edge makes of it."""
