"""The people of a fleet: accounts, roles, sessions and API tokens; no web framework is in here."""
