"""Learning curves of trainings beside the controllers that learn nothing: figures, table, picture."""
