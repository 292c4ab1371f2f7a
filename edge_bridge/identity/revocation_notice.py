"""The notice that a device was cut off: the broker suppresses its last will, so a host would believe it online.

Only the identity `control` may publish it, and only hosts read it. It needs no content: its topic names the device.
"""

from __future__ import annotations

from typing import Final

from edge_bridge.mqtt_frames import MqttMessage

PREFIX: Final = "pulsebms/revoked/"
FILTER: Final = f"{PREFIX}+"


def make_notice(node: str) -> MqttMessage:
    """Make the notice that a device was cut off."""
    return MqttMessage(PREFIX + node, b"revoked", qos=1)


def parse_notice(topic: str) -> str | None:
    """Return the device that a notice is about, None for another topic."""
    return topic.removeprefix(PREFIX) if topic.startswith(PREFIX) else None
