"""The declared wiring of a bench, from one TOML file; a mistake names file, line, key, value and bound."""
