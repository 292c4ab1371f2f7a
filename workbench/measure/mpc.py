"""`measure mpc`: the real-time iteration beside IPOPT on the same problem, and its cost in closed loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from workbench.measure.job import describe_conditions, percentile, time_calls
from workbench.measure.metric import MeasuredMetric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control.mpc_model import MpcLimits
    from control.ports import CurrentRange
    from drivers.snapshot import Floats
    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow

_IPOPT: Final = "IPOPT on the same problem, warm"
P50: Final = MeasuredMetric("MPC, one plan of 24 steps, p50", "ms", "<", 2.0, _IPOPT)
P99: Final = MeasuredMetric("MPC, one plan of 24 steps, p99", "ms", "<", 5.0, _IPOPT)
LONG_P50: Final = MeasuredMetric("MPC, one plan of 96 steps, p50", "ms", "<", 5.0, _IPOPT)
FOUND: Final = MeasuredMetric("MPC, plans found", "%", ">=", 100.0, _IPOPT)
COST: Final = MeasuredMetric("MPC, cost of the closed loop over IPOPT's", "", "<=", 1.01, _IPOPT)
METRICS: Final = (P50, P99, LONG_P50, FOUND, COST)

STEP_S: Final = 0.5
PARALLEL, CELL_AH = 12, 5.0
AHEAD: Final = 0.1  # resistance of the plant over that of the model
BOUND_A: Final = 1.0  # further from the duty than smoothing alone


class MpcPlanner(Protocol):
    """`mpc.MpcPlan` or a peer of it."""

    current_a: Floats

    def solve(self, start: Floats, profile_a: Floats, allowed: CurrentRange) -> bool: ...


def measure(job: MeasureJob) -> Iterator[MeasureRow]:
    """Measure a duty that the voltage limits cut, on a plant with a tenth more resistance than the model."""
    from control.mpc import MpcPlan  # noqa: PLC0415  # CasADi takes a moment
    from control.mpc_model import MpcLimits  # noqa: PLC0415
    from workbench.measure.peers.ipopt import IpoptPlan  # noqa: PLC0415

    conditions, limits, loops = (
        describe_conditions(),
        MpcLimits(3.55, 3.95, 0.05, 0.95, 318.15),
        dict[int, tuple[_ClosedLoop, _ClosedLoop]](),
    )
    for horizon, turns in ((24, job.times(300)), (96, job.times(40))):
        job.say(f"MPC of {horizon} steps beside IPOPT, {turns} turns of the closed loop")
        shape = (horizon, STEP_S, PARALLEL, CELL_AH, limits)
        ours, peer = _ClosedLoop(MpcPlan(*shape), limits), _ClosedLoop(IpoptPlan(*shape), limits)
        for turn in range(turns):  # in turns, so that both see the same state of the machine
            ours.turn(turn)
            peer.turn(turn)
        loops[horizon] = ours, peer
    (ours, peer), (long, long_peer) = loops[24], loops[96]
    conditions = f"{conditions}; {len(ours.took_s)} turns of {STEP_S:g} s, {ours.bound} of them bound by a limit"
    for metric, percent in ((P50, 50), (P99, 99)):
        yield metric.make_row(
            1e3 * percentile(ours.took_s, percent), 1e3 * percentile(peer.took_s, percent), conditions
        )
    yield LONG_P50.make_row(1e3 * percentile(long.took_s, 50), 1e3 * percentile(long_peer.took_s, 50), conditions)
    yield FOUND.make_row(100.0 * ours.found / len(ours.took_s), 100.0 * peer.found / len(peer.took_s), conditions)
    yield COST.make_row(ours.cost / peer.cost, 1.0, f"{conditions}; both count the plant's own voltage")


class _ClosedLoop:
    """A planner in closed loop with a plant of its own: its durations and its cost."""

    def __init__(self, plan: MpcPlanner, limits: MpcLimits) -> None:
        from control.ports import CurrentRange  # noqa: PLC0415

        self._plan, self._limits, self._allowed = plan, limits, CurrentRange(60.0, 60.0)
        self._soc, self._v1, self._v2, self._last_a = 0.6, 0.0, 0.0, 0.0
        self.took_s: list[float] = []
        self.found, self.bound, self.cost = 0, 0, 0.0

    def turn(self, turn: int) -> None:
        from control import mpc, mpc_model  # noqa: PLC0415

        profile_a = _duty(turn + np.arange(len(self._plan.current_a), dtype=np.float64))
        start = np.array([self._soc, self._v1, self._v2, 0.0, 0.0])

        def solve() -> None:
            self.found += self._plan.solve(start, profile_a, self._allowed)

        self.took_s += time_calls(solve, 1).tolist()
        current_a = float(self._plan.current_a[0])
        voltage_v = self._advance(current_a / PARALLEL)
        self.bound += abs(current_a - profile_a[0]) > BOUND_A
        over_v = max(0.0, voltage_v - self._limits.high_v, self._limits.low_v - voltage_v)
        slack = over_v / mpc_model.UNIT_V
        self.cost += (current_a - profile_a[0]) ** 2 + mpc.SMOOTH * (current_a - self._last_a) ** 2
        self.cost += mpc.SLACK[0] * slack + mpc.SLACK[1] * slack**2
        self._last_a = current_a

    def _advance(self, cell_a: float) -> float:
        """Return the plant's voltage at the end of the step; its states are measured, its resistance is unknown."""
        from control import mpc_model as model  # noqa: PLC0415

        fade1, fade2 = np.exp(-STEP_S / model.TAU1_S), np.exp(-STEP_S / model.TAU2_S)
        self._soc -= cell_a * STEP_S / 3600.0 / CELL_AH
        self._v1 = float(fade1 * self._v1 + (1.0 - fade1) * model.R1_OHM * cell_a)
        self._v2 = float(fade2 * self._v2 + (1.0 - fade2) * model.R2_OHM * cell_a)
        return float(model.ocv_v(self._soc)) - (1.0 + AHEAD) * model.R0_OHM * cell_a - self._v1 - self._v2


def _duty(turn: Floats) -> Floats:
    """Return the duty in A (discharge positive): a wave whose peaks the voltage limits cut."""
    return 20.0 * np.sin(turn / 7.0) + 45.0 * np.sign(np.sin(turn / 31.0))
