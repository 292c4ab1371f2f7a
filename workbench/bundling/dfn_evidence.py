"""The difference between fast twin and DFN as a run recorded it, for `evidence.json`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from drivers.channel_names import LOOP_TWIN, lane_channel, lane_prefix
from edge_bridge.bundle.dfn_difference import NO_LANE, DfnDifference, name_dfn_lanes
from workbench.scores import compute_late_difference, list_active_twins

if TYPE_CHECKING:
    from drivers.benchfile import Bench
    from drivers.runlog.run import Run

NOT_RUN: Final = "the run recorded nothing of this lane"
_CELL: Final = re.compile(r"cell_(\d+)/voltage")


def measure_dfn(run: Run, bench: Bench) -> list[DfnDifference]:
    """Return the difference of each DFN lane of the bench; one without a lane where it has none."""
    rows = [_measure_lane(run, name) for name in name_dfn_lanes(bench)]
    return rows or [DfnDifference("", (), "", None, 0.0, 0.0, NO_LANE)]


def _measure_lane(run: Run, name: str) -> DfnDifference:
    cells = _list_cells(run, name)
    recorded = lane_channel("twin", name, "step") in run.table and LOOP_TWIN in run.table
    if not cells or not recorded:
        return DfnDifference(name, cells, "", None, 0.0, 0.0, NOT_RUN)
    score, after_s = compute_late_difference(run, name)
    against = ", ".join(twin for twin in list_active_twins(run) if twin != name)
    return DfnDifference(name, cells, against, score.scale(1e3), score.coverage, after_s, score.reason)


def _list_cells(run: Run, name: str) -> tuple[int, ...]:
    begins = lane_prefix("twin", name)
    own = (channel.removeprefix(begins) for channel in run.table.names if channel.startswith(begins))
    return tuple(int(found[1]) for channel in own if (found := _CELL.fullmatch(channel)))
