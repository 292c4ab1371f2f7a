"""One node as the host knows it: the metrics of its birth, its next `seq` and its status."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from edge_bridge import metrics
from edge_bridge.fleet.row_status import RowStatus, copy_status
from edge_bridge.sparkplug.payload import PayloadError
from edge_bridge.sparkplug.wire import SEQ_COUNT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.fleet.quick_rows import BirthLayouts
    from edge_bridge.fleet.row_status import StatusNames
    from edge_bridge.metrics import Scalar
    from edge_bridge.sparkplug.aliases import Aliases
    from edge_bridge.sparkplug.payload import Payload, SparkplugMetric

STATUS: Final = (  # the metrics that a host shows of a node
    metrics.SHA256,
    metrics.NAME,
    metrics.EVIDENCE,
    metrics.SERIAL,
    metrics.DESIRED,
    metrics.STATE,
    metrics.REASON,
    metrics.RECEIVED,
    metrics.DEPTH,
    metrics.EVICTED,
    metrics.VERDICT,
    metrics.VERDICT_REASON,
    metrics.SOC,
    metrics.SOC_STD,
    metrics.CELL_MIN,
    metrics.CELL_MAX,
    metrics.TEMPERATURE,
    metrics.BMS_FAULT,
    metrics.CURRENT,
    metrics.VOLTAGE,
    *metrics.HEALTH,
    metrics.ANSWERED,
    metrics.ANSWERED_REQUEST,
    metrics.ANSWER,
)
MAX_TEXT: Final = 1_000


@dataclass(slots=True)
class NodeState:
    """The state of a node; `aliases` is `None` after a death, a lost connection or a missing `seq`, until a birth."""

    name: str
    aliases: Aliases | None = None
    bd_seq: int | None = None
    next_seq: int = 0
    online: bool = False
    last_ms: int | None = None
    status: Mapping[str, Scalar] = field(default_factory=dict[str, "Scalar"])  # made anew: others keep the former one
    rebirth_requested_s: float = float("-inf")
    group: str = ""  # empty for a node of an earlier version, until its birth
    former: str = ""  # the group before the newest birth; empty for a node that was not known
    layouts: BirthLayouts | None = None  # by which its rows can be read quickly

    def update_status(self, values: dict[str, Scalar]) -> None:
        """Update the status by the values of a message."""
        self.status = copy_status(self.status) | values

    def update_from_row(self, names: StatusNames, values: tuple[Scalar, ...]) -> None:
        """Update the status by the values of a row, at little cost while rows with the same names follow each other."""
        self.status = RowStatus(self.status, names, values)

    def begin_session(self, aliases: Aliases, bd_seq: int, seq: int) -> None:
        """Start a session with a birth; count from its `seq`."""
        self.aliases, self.bd_seq, self.online = aliases, bd_seq, True
        self.next_seq = (seq + 1) % SEQ_COUNT

    def require_birth(self) -> None:
        """Raise `PayloadError` for data before a birth."""
        if self.aliases is None:
            raise PayloadError("no_birth", "data were received without a birth, so they cannot be read")

    def count_message(self, seq: int) -> None:
        """Count one message; raise `PayloadError` for a missing or old `seq`, or a message before a birth."""
        self.require_birth()
        if seq != self.next_seq:
            self.aliases = None  # a birth may be among the missed messages
            raise PayloadError(
                "out_of_order",
                f"seq {seq} was received where {self.next_seq} was expected",
                value=seq,
                bound=self.next_seq,
            )
        self.next_seq = (seq + 1) % SEQ_COUNT

    def take_next(self, seq: int) -> bool:
        """Count a message if it is the next one of a session; else return False and change nothing."""
        if self.aliases is None or seq != self.next_seq:
            return False
        self.next_seq = (seq + 1) % SEQ_COUNT
        return True

    def end_session(self) -> None:
        """End the session: the node is unknown until the next birth."""
        self.aliases, self.online = None, False


def read_status(found: Mapping[str, SparkplugMetric]) -> dict[str, Scalar]:
    """Read a node's status by metric name; raise `PayloadError` for an impossible value."""
    return {name: _read_value(found[name], name) for name in STATUS if name in found}


def read_seq(payload: Payload) -> int:
    """Read the `seq` of a birth; raise `PayloadError`."""
    if payload.seq is None:
        raise PayloadError("no_seq", "a message has no seq", key="seq")
    return payload.seq


def read_bd_seq(found: Mapping[str, SparkplugMetric]) -> int:
    """Read which connection a birth or a death belongs to; raise `PayloadError`."""
    value = found[metrics.BD_SEQ].value if metrics.BD_SEQ in found else None
    if type(value) is not int or not 0 <= value < SEQ_COUNT:
        raise PayloadError("bd_seq", f"bdSeq {value!r} is not between 0 and 255", key=metrics.BD_SEQ, bound=[0, 255])
    return value


def _read_value(metric: SparkplugMetric, name: str) -> Scalar:
    value = metric.value
    if value is None:
        return None
    if metric.datatype is not metrics.TYPES[name] or isinstance(value, bytes):
        words = f"{name} is declared as {metric.datatype.name}, not as {metrics.TYPES[name].name}"
        raise PayloadError("wrong_type", words, key=name)
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise PayloadError("text", f"{name} is too long", value=len(value), bound=MAX_TEXT)
    if isinstance(value, float) and not math.isfinite(value):
        raise PayloadError("not_finite", f"{name} is {value}; unknown is null", key=name)
    return value
