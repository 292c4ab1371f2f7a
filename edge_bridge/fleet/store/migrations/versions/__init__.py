"""One module for each version; it never changes once it was released."""
