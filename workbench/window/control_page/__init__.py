"""The Control page: the controllers beside each other, their training, and their promotion."""
