"""Sparkplug B 3.0 as pure functions of bytes: payloads, topics, aliases, acknowledgements."""
