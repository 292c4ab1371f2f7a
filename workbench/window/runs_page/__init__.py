"""The Runs page: recorded runs, their replay and export."""
