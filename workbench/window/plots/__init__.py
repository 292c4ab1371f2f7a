"""The plots of the window: channels over time, painted by hand."""
