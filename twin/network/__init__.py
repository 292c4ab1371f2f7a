"""The fitted circuit of a cell: four pairs over state of charge and temperature, its fit to logs, and its twin."""
