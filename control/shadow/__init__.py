"""The live shadow score of the controllers on a bench: a process of its own computes it, beside the loop."""
