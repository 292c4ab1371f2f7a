"""The messages of the fleet: NCMDs by metric name, and the host's STATE (Sparkplug 3.0, 4.2 and 6.4)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from edge_bridge import metrics
from edge_bridge.mqtt import MqttMessage
from edge_bridge.ranges import find_ranges
from edge_bridge.sparkplug import topics, wire
from edge_bridge.sparkplug.acks import format_acks
from edge_bridge.sparkplug.payload import Payload, SparkplugMetric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from edge_bridge.sparkplug.payload import Value


def make_command(group: str, node: str, values: Mapping[str, Value], now_ms: int) -> MqttMessage:
    """Make one NCMD, with datatypes (decision 24); it has no `seq`, QoS 0 and is not retained."""
    topic = topics.Topic(group, topics.MessageKind.NCMD, node)
    return MqttMessage(str(topic), wire.encode(_make_payload(values, now_ms)))


def make_acknowledgements(
    group: str | Callable[[str], str],
    kept: Mapping[str, Mapping[str, Sequence[int]]],
    now_ms: int,
    *,
    host: str = "",
    with_host: Callable[[str], bool] = lambda node: False,  # noqa: ARG005  # it is the same for every node
) -> Iterator[MqttMessage]:
    """Make the fewest NCMDs that acknowledge to every node the rows that were stored; `group` is that of each node.

    `with_host` says whether a node's birth declares the id of the host; one of an earlier version does not.
    """
    plain = wire.TextTemplate(_make_payload({metrics.ACKNOWLEDGED: ""}, now_ms))
    with_id = wire.TextTemplate(_make_payload({metrics.ACKNOWLEDGED: "", metrics.ACKNOWLEDGED_BY: host}, now_ms))
    for node, boots in kept.items():
        own = group if isinstance(group, str) else group(node)
        topic = topics.make_topic(own, topics.MessageKind.NCMD, node)
        template = with_id if with_host(node) else plain
        if (text := _format_one(boots)) is not None:
            yield MqttMessage(topic, template.encode(text))
            continue
        for text in format_acks({boot: find_ranges(numbers) for boot, numbers in boots.items()}):
            yield MqttMessage(topic, template.encode(text))


def _format_one(boots: Mapping[str, Sequence[int]]) -> str | None:
    """Write the acknowledgement of one row, as almost all are; None for any other number of rows."""
    if len(boots) == 1:
        ((boot, numbers),) = boots.items()
        if len(numbers) == 1:
            return f"{boot}:{numbers[0]}"
    return None


def _make_payload(values: Mapping[str, Value], now_ms: int) -> Payload:
    return Payload(
        now_ms, tuple(SparkplugMetric(name, None, metrics.TYPES[name], value, now_ms) for name, value in values.items())
    )


def make_state(host: str, t_ms: int, *, online: bool) -> MqttMessage:
    """Make the host's STATE; the STATE of a connection has the time stamp of its will."""
    state = json.dumps({"online": online, "timestamp": t_ms})
    return MqttMessage(topics.make_state_topic(host), state.encode(), qos=1, retain=True)


def parse_state(payload: bytes) -> tuple[bool, int] | None:
    """Return whether a STATE reports its host online, and its time stamp; None for an unreadable one."""
    try:
        state: Any = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(state, dict):
        return None
    fields = cast("dict[str, Any]", state)
    online, t_ms = fields.get("online"), fields.get("timestamp")
    return (online, t_ms if type(t_ms) is int else 0) if isinstance(online, bool) else None
