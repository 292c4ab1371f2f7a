"""One node as the host knows it: the metrics of its birth, its next `seq` and its status."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from edge_bridge.sparkplug.payload import DataType, PayloadError
from edge_bridge.sparkplug.wire import SEQ_COUNT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.fleet.columns import Scalar
    from edge_bridge.sparkplug.aliases import Aliases
    from edge_bridge.sparkplug.payload import Payload, SparkplugMetric

BD_SEQ: Final = "bdSeq"
BUNDLE: Final = "Bundle/Sha256"
STATUS: Final = {
    BUNDLE: DataType.STRING,
    "Bundle/Name": DataType.STRING,
    "Bundle/Evidence": DataType.STRING,
    "Bundle/Serial": DataType.UINT64,
    "Bundle/Desired": DataType.STRING,
    "Bundle/State": DataType.STRING,
    "Bundle/Reason": DataType.STRING,
    "Bundle/Received": DataType.UINT64,
    "Outbox/Depth": DataType.UINT64,
    "Outbox/Evicted": DataType.UINT64,
    "Gate/Verdict": DataType.STRING,
    "Gate/Reason": DataType.STRING,
    "Pack/SoC": DataType.DOUBLE,
    "Pack/SoC Std": DataType.DOUBLE,
    "Cells/Voltage Min": DataType.DOUBLE,
    "Cells/Voltage Max": DataType.DOUBLE,
    "Temperature/Max": DataType.DOUBLE,
    "Pack/Current": DataType.DOUBLE,
    "Pack/Voltage": DataType.DOUBLE,
}
MAX_TEXT: Final = 1_000


@dataclass
class NodeState:
    """The state of a node; `aliases` is `None` after a death, a lost connection or a missing `seq`, until a birth."""

    name: str
    aliases: Aliases | None = None
    bd_seq: int | None = None
    next_seq: int = 0
    online: bool = False
    last_ms: int | None = None
    status: dict[str, Scalar] = field(default_factory=dict[str, "Scalar"])
    rebirth_requested_s: float = float("-inf")

    def begin_session(self, aliases: Aliases, bd_seq: int, seq: int) -> None:
        """Start a session with a birth; count from its `seq`."""
        self.aliases, self.bd_seq, self.online = aliases, bd_seq, True
        self.next_seq = (seq + 1) % SEQ_COUNT

    def count_message(self, seq: int) -> None:
        """Count one message; raise `PayloadError` for a missing or old `seq`, or a message before a birth."""
        if self.aliases is None:
            raise PayloadError("no_birth", "data were received without a birth, so they cannot be read")
        if seq != self.next_seq:
            self.aliases = None  # a birth may be among the missed messages
            raise PayloadError(
                "out_of_order",
                f"seq {seq} was received where {self.next_seq} was expected",
                value=seq,
                bound=self.next_seq,
            )
        self.next_seq = (seq + 1) % SEQ_COUNT

    def end_session(self) -> None:
        """End the session: the node is unknown until the next birth."""
        self.aliases, self.online = None, False


def read_status(metrics: Mapping[str, SparkplugMetric]) -> dict[str, Scalar]:
    """Read a node's status by metric name; raise `PayloadError` for an impossible value."""
    return {name: _read_value(metrics[name], name) for name in STATUS if name in metrics}


def read_seq(payload: Payload) -> int:
    """Read the `seq` of a birth; raise `PayloadError`."""
    if payload.seq is None:
        raise PayloadError("no_seq", "a message has no seq", key="seq")
    return payload.seq


def read_bd_seq(metrics: Mapping[str, SparkplugMetric]) -> int:
    """Read which connection a birth or a death belongs to; raise `PayloadError`."""
    value = metrics[BD_SEQ].value if BD_SEQ in metrics else None
    if type(value) is not int or not 0 <= value < SEQ_COUNT:
        raise PayloadError("bd_seq", f"bdSeq {value!r} is not between 0 and 255", key=BD_SEQ, bound=[0, 255])
    return value


def _read_value(metric: SparkplugMetric, name: str) -> Scalar:
    value = metric.value
    if value is None:
        return None
    if metric.datatype is not STATUS[name] or isinstance(value, bytes):
        words = f"{name} is declared as {metric.datatype.name}, not as {STATUS[name].name}"
        raise PayloadError("wrong_type", words, key=name)
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise PayloadError("text", f"{name} is too long", value=len(value), bound=MAX_TEXT)
    if isinstance(value, float) and not math.isfinite(value):
        raise PayloadError("not_finite", f"{name} is {value}; unknown is null", key=name)
    return value
