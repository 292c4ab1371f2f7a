"""The builder of all lanes of a role; they are timed by this machine's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control.gate_config import build_lane
from control.lanes import Lanes
from drivers.clock import monotonic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drivers.benchfile.model import Bench, Role
    from twin.ports import PackSpec


def build_lanes(bench: Bench, role: Role, pack: PackSpec, *, shadows: bool) -> Lanes[Any]:
    """Build the lanes of a role, or the active one; raise `BenchFileError` at the line of one that cannot be built."""
    parts = {lane.name: build_lane(bench, lane, pack) for lane in bench.lanes(role) if lane.active or shadows}
    spread_plans(parts.values())
    return Lanes(role, parts, bench.active(role).name, monotonic)


def spread_plans(parts: Iterable[object]) -> None:
    """Let controllers that plan equally often do so at different turns: two plans in one turn could overrun it."""
    planners = [plan_early for part in parts if (plan_early := getattr(part, "plan_early", None)) is not None]
    for place, plan_early in enumerate(planners):
        plan_early(place / len(planners))
