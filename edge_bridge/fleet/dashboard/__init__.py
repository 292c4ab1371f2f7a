"""The dashboard: static files that the API serves at `/`. A browser runs them as they are; nothing is built."""
