"""The edge beside a pack: a configuration in one of two slots, an outbox that loses no row, an MQTT uplink."""
