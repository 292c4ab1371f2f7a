"""The segment of a run for golden vectors: a short time in the state Running with the greatest current swing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from control.state import BenchState
from drivers.channel_names import BENCH_STATE, EDGE_CHAIN
from drivers.errors import Refused
from drivers.snapshot import ChannelTable, Quality, Snapshot
from edge_bridge.bundle.consistency import MIN_TICKS

if TYPE_CHECKING:
    from drivers.runlog.run import Run
    from drivers.snapshot import Floats

TICKS: Final = 400
FEWEST: Final = MIN_TICKS
STRIDE: Final = 10  # ticks between the starts that are compared


@dataclass(frozen=True)
class RunSegment:
    """Ticks `first` to `last` of a run: the measured snapshots, and `dt_s[n]` since the previous tick."""

    first: int
    last: int
    snapshots: tuple[Snapshot, ...]
    dt_s: Floats


def select_segment(run: Run, current: str, period_s: float) -> RunSegment:
    """Return the segment with the greatest swing of channel `current`; raise `Refused` where the bench hardly ran."""
    columns = run.columns([BENCH_STATE, current])
    begin, end = _find_longest(columns[BENCH_STATE] == BenchState.RUNNING)
    if end - begin < FEWEST:
        what, hint = f"was running for only {end - begin} ticks in a row", "build from a longer run"
        raise Refused(what, where=str(run.folder), value=end - begin, bound=f">= {FEWEST} ticks", hint=hint)
    ticks = min(TICKS, end - begin)
    first = max(range(begin, end - ticks + 1, STRIDE), key=lambda at: _compute_swing(columns[current][at : at + ticks]))
    block = run.block(first, first + ticks)
    measured = ChannelTable(run.table.channels[: run.measured])
    seen = tuple(
        Snapshot(measured, float(block.t_s[k]), block.values[: run.measured, k], block.sampled_s[:, k], quality)
        for k, quality in enumerate(block.quality.T)
    )
    return RunSegment(first, first + ticks, seen, np.diff(block.t_s, prepend=block.t_s[0] - period_s))


def make_pack_segment(part: RunSegment, table: ChannelTable) -> RunSegment:
    """Return the segment as an edge would see it: the BMS's channels, and an emergency-stop chain that stays closed."""
    here = part.snapshots[0].table
    columns = here.indices(name for name in table.names if name != EDGE_CHAIN)
    seen = (
        Snapshot(
            table,
            one.t_s,
            np.append(one.values[columns], 1.0),
            np.append(one.sampled_s[columns], one.t_s),
            np.append(one.quality[columns], np.uint8(Quality.GOOD)),
        )
        for one in part.snapshots
    )
    return replace(part, snapshots=tuple(seen))


def _find_longest(running: Floats) -> tuple[int, int]:
    """Return the first tick of the longest running period, and the tick after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], running.astype(np.int8), [0]))))
    spans: list[tuple[int, int]] = [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]
    return max(spans, key=lambda span: span[1] - span[0], default=(0, 0))


def _compute_swing(current_a: Floats) -> float:
    known = current_a[np.isfinite(current_a)]
    return float(np.ptp(known)) if len(known) else 0.0
