"""The engine process: holds the bench, turns the loop, records, obeys its client and the guard."""
