"""The messages of the fleet: NCMDs by metric name, and the host's STATE (Sparkplug 3.0, 4.2 and 6.4)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from edge_bridge import metrics
from edge_bridge.mqtt import MqttMessage
from edge_bridge.ranges import find_ranges
from edge_bridge.sparkplug import topics, wire
from edge_bridge.sparkplug.acks import format_acks
from edge_bridge.sparkplug.payload import Payload, SparkplugMetric

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edge_bridge.sparkplug.payload import Value


def make_command(group: str, node: str, values: Mapping[str, Value], now_ms: int) -> MqttMessage:
    """Make one NCMD; it has no `seq`, QoS 0 and is not retained."""
    command = tuple(SparkplugMetric(name, None, metrics.TYPES[name], value, now_ms) for name, value in values.items())
    topic = topics.Topic(group, topics.MessageKind.NCMD, node)
    return MqttMessage(str(topic), wire.encode(Payload(now_ms, command), datatypes=False))


def make_acknowledgements(
    group: str, kept: Mapping[str, Mapping[str, Sequence[int]]], now_ms: int
) -> Iterator[MqttMessage]:
    """Make the fewest NCMDs that acknowledge to every node the rows that were stored."""
    for node, boots in kept.items():
        for text in format_acks({boot: find_ranges(numbers) for boot, numbers in boots.items()}):
            yield make_command(group, node, {metrics.ACKNOWLEDGED: text}, now_ms)


def make_state(host: str, t_ms: int, *, online: bool) -> MqttMessage:
    """Make the host's STATE; the STATE of a connection has the time stamp of its will."""
    state = json.dumps({"online": online, "timestamp": t_ms})
    return MqttMessage(topics.make_state_topic(host), state.encode(), qos=1, retain=True)


def is_offline(payload: bytes) -> bool:
    """Return whether a STATE reports its host offline; False for an unreadable one."""
    try:
        state = json.loads(payload)
    except (ValueError, RecursionError):
        return False
    return isinstance(state, dict) and state.get("online") is False  # pyright: ignore[reportUnknownMemberType]
