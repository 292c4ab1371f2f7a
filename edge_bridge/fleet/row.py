"""A row as the fleet stores it: read from the metrics of one message, or refused with a reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from edge_bridge.fleet import columns
from edge_bridge.metrics import GAP_BOOT, GAP_FIRST, GAP_LAST, ROW_BOOT, ROW_SEQ
from edge_bridge.row_span import RowSpan
from edge_bridge.sparkplug.payload import PayloadError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.metrics import Scalar
    from edge_bridge.sparkplug.payload import SparkplugMetric

MAX_SEQ: Final = 1 << 48  # nine thousand years at a thousand rows a second
EARLIEST_MS: Final = 1_577_836_800_000  # 2020: a clock with an earlier date has lost its battery
MAX_AHEAD_MS: Final = 300_000
LATEST_MS: Final = (1 << 63) - 1  # the largest integer of SQLite
_BOOT: Final = re.compile(r"[0-9a-f]{1,32}", re.ASCII)

T = TypeVar("T", int, str)


@dataclass(slots=True, unsafe_hash=True)  # nobody changes one; `frozen` would make each cost three times as much
class StoredRow:
    """One sample of a pack; `clock` is `future` or `past` for an impossible time stamp, which orders nothing."""

    node: str
    boot: str
    seq: int
    t_ms: int
    historical: bool
    clock: str
    values: tuple[Scalar, ...]
    gap: RowSpan | None


def is_row(metrics: Mapping[str, SparkplugMetric]) -> bool:
    """Return whether a message holds a row, not only a change of status."""
    return ROW_SEQ in metrics


def read_row(node: str, metrics: Mapping[str, SparkplugMetric], now_ms: int) -> StoredRow:
    """Read the row of NDATA metrics; raise `PayloadError` for a row that cannot be stored as it is."""
    marked = metrics[ROW_SEQ]
    t_ms = marked.timestamp_ms
    if t_ms is None or not 0 <= t_ms <= LATEST_MS:
        raise PayloadError("no_time", "a row has no sample time", key=ROW_SEQ, value=t_ms)
    return StoredRow(
        node=node,
        boot=read_boot(metrics),
        seq=_read_number(metrics, ROW_SEQ),
        t_ms=t_ms,
        historical=marked.historical,
        clock=find_clock(t_ms, now_ms),
        values=columns.read_values(metrics),
        gap=_read_gap(metrics),
    )


def find_clock(t_ms: int, now_ms: int) -> str:
    """Return `future` or `past` for an impossible time stamp, else nothing."""
    return "future" if t_ms > now_ms + MAX_AHEAD_MS else "past" if t_ms < EARLIEST_MS else ""


def read_boot(metrics: Mapping[str, SparkplugMetric], name: str = ROW_BOOT) -> str:
    """Read the boot of the edge; raise `PayloadError`."""
    boot = _read_value(metrics, name, str)
    if not _BOOT.fullmatch(boot):
        raise PayloadError("boot", f"{name} {boot[:40]!r} is not a boot", key=name, value=boot[:40])
    return boot


def read_newest(metrics: Mapping[str, SparkplugMetric]) -> tuple[str, int] | None:
    """Read the boot and the newest row number of a birth, `None` if it has none; raise `PayloadError`."""
    if any(metrics.get(name) is None or metrics[name].value in {None, 0, ""} for name in (ROW_BOOT, ROW_SEQ)):
        return None
    return read_boot(metrics), _read_number(metrics, ROW_SEQ)


def _read_gap(metrics: Mapping[str, SparkplugMetric]) -> RowSpan | None:
    if all(metrics.get(name) is None or metrics[name].value is None for name in (GAP_BOOT, GAP_FIRST, GAP_LAST)):
        return None
    gap = RowSpan(read_boot(metrics, GAP_BOOT), _read_number(metrics, GAP_FIRST), _read_number(metrics, GAP_LAST))
    if gap.first > gap.last:
        raise PayloadError("gap", f"a gap ends at {gap.last} before it begins at {gap.first}", key=GAP_LAST)
    return gap


def _read_number(metrics: Mapping[str, SparkplugMetric], name: str) -> int:
    number = _read_value(metrics, name, int)
    if not 1 <= number <= MAX_SEQ:
        raise PayloadError("row_number", f"{name} {number} is not a row number", value=number, bound=[1, MAX_SEQ])
    return number


def _read_value(metrics: Mapping[str, SparkplugMetric], name: str, kind: type[T]) -> T:
    value = metrics[name].value if name in metrics else None
    if value is None:
        raise PayloadError("incomplete_row", f"a row has no {name}", key=name)
    if isinstance(value, bool) or not isinstance(value, kind):
        raise PayloadError("wrong_type", f"{name} is not of type {kind.__name__}", key=name, bound=kind.__name__)
    return value
