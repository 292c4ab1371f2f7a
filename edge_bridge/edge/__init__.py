"""Runs beside a pack: a configuration in one of two slots, an outbox that loses nothing, a voice on MQTT."""
