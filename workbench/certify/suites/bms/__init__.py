"""What a battery management system must do: eight protections, each shown on the bench."""
