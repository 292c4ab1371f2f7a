"""Controllers, gate, guard and loop: decide a command, then gate it."""
