"""The Twin page: models laid over logs, their residuals, and the fit of a cell."""
