"""Reference tasks: what a controller must do, what it costs, and the packs on which it is judged."""
