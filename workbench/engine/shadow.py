"""The live shadow score of a bench: which of its controllers are scored, and on what pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from control.shadow.scores import ShadowOrder, choose_lanes
from control.shadow.watcher import ShadowWatcher

if TYPE_CHECKING:
    from drivers.benchfile.model import Bench
    from twin.ports import PackSpec


def make_shadow_watcher(bench: Bench, pack: PackSpec) -> ShadowWatcher | None:
    """Return the watcher of the controllers that follow one duty; None if no two of them do."""
    lanes = choose_lanes({lane.name: (lane.module, lane.settings) for lane in bench.lanes("controller")})
    return ShadowWatcher(ShadowOrder(lanes, pack, bench.bench.period_s)) if len(lanes) > 1 else None
