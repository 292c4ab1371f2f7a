"""`measure mpc`: the real-time iteration beside IPOPT, fatrop and do-mpc on the same problem, and its cost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.measure.job import describe_conditions, percentile, time_calls
from workbench.measure.metric import MeasuredMetric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from control.mpc import Planner
    from control.mpc_model import ModelSettings, MpcLimits
    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats
    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow

_IPOPT: Final = "IPOPT on the same problem, warm"
_FATROP: Final = "fatrop on the same problem, warm"
_DO_MPC: Final = "do-mpc on the same problem, warm"
_SLOW: Final = (
    "the machine had half its speed: IPOPT's p99 was 599 ms, before 356 ms; ours is 106 times shorter, before 58 times"
)
P50: Final = MeasuredMetric("MPC, one plan of 24 steps, p50", "ms", "<", 2.0, _IPOPT)
P99: Final = MeasuredMetric("MPC, one plan of 24 steps, p99", "ms", "<", 5.0, _IPOPT)
LONG_P50: Final = MeasuredMetric("MPC, one plan of 96 steps, p50", "ms", "<", 5.0, _IPOPT)
LONG_P99: Final = MeasuredMetric("MPC, one plan of 96 steps, p99", "ms", "<", 5.0, _IPOPT, _SLOW)
BESIDE_FATROP: Final = MeasuredMetric("MPC, one plan of 96 steps beside fatrop, p50", "ms", "<", 5.0, _FATROP)
BESIDE_DO_MPC: Final = MeasuredMetric("MPC, one plan of 96 steps beside do-mpc, p50", "ms", "<", 5.0, _DO_MPC)
FOUND: Final = MeasuredMetric("MPC, plans found while the pack jumps", "%", ">=", 100.0, _IPOPT)
COST: Final = MeasuredMetric("MPC, cost of the closed loop over IPOPT's", "", "<=", 1.01, _IPOPT)
SAVED: Final = MeasuredMetric("MPC, saved in a day of arbitrage, of what IPOPT saves", "%", ">=", 99.0, _IPOPT)
METRICS: Final = (P50, P99, COST, LONG_P50, LONG_P99, BESIDE_FATROP, BESIDE_DO_MPC, FOUND, SAVED)

STEP_S: Final = 0.5
SLOWER: Final = 8  # beside long plans a peer takes one turn in so many of ours
START_SOC: Final = 0.5
AHEAD: Final = 1.1  # resistance of the plant over that of the model
BOUND_C: Final = 0.016  # further from the duty than the price of an input alone
JUMPS: Final = {"soc": 0.2, "kelvin": 10.0, "volt": 0.05}
JUMPS_OFTEN: Final = 0.05  # of the steps, each kind
DAYS: Final = 3
JUDGED_SEED: Final = 1000
SHORT, LONG = 24, 96  # steps of a plan; a shortened day is planned in short ones


def measure(job: MeasureJob) -> Iterator[MeasureRow]:
    """Measure a duty that the voltage limits cut, jumps of the pack, and days of arbitrage."""
    conditions = describe_conditions()
    short = _run_loops(job, SHORT, 300)
    ours, peer = short["ours"], short["ipopt"]
    shown = f"{conditions}; {len(ours.took_s)} turns of {STEP_S:g} s, {ours.bound} of them bound by a limit"
    for metric, percent in ((P50, 50), (P99, 99)):
        yield metric.make_row(_milliseconds(ours, percent), _milliseconds(peer, percent), shown)
    shown = f"{conditions}; both count the plant's own voltage"
    yield COST.make_row(sum(ours.costs) / sum(peer.costs), 1.0, shown)
    long = _run_loops(job, LONG, 400)
    ours, peer = long["ours"], long["ipopt"]
    busy = ", ".join(f"p{percent} {1e3 * percentile(ours.busy_s, percent):.1f} ms" for percent in (50, 99))
    shown = f"{conditions}; {len(ours.took_s)} turns, peers {len(peer.took_s)}; processor time {busy}"
    for metric, percent in ((LONG_P50, 50), (LONG_P99, 99)):
        yield metric.make_row(_milliseconds(ours, percent), _milliseconds(peer, percent), shown)
    for metric, name in ((BESIDE_FATROP, "fatrop"), (BESIDE_DO_MPC, "do-mpc")):
        yield metric.make_row(_milliseconds(ours, 50), _milliseconds(long[name], 50), shown)
    yield _measure_jumps(job, conditions, peer.plan)
    yield _measure_days(job, conditions)


def _milliseconds(loop: _ClosedLoop, percent: float) -> float:
    return 1e3 * percentile(loop.took_s, percent)


def _run_loops(job: MeasureJob, horizon: int, turns: int) -> dict[str, _ClosedLoop]:
    """Run each planner on a plant of its own; slow peers take fewer turns, among ours."""
    from control.mpc_model import ModelSettings, MpcLimits  # noqa: PLC0415  # CasADi takes a moment
    from twin.cell_parameters import load_cell  # noqa: PLC0415

    names = ("ours", "ipopt") if horizon == SHORT else ("ours", "ipopt", "fatrop", "do-mpc")
    job.say(f"MPC of {horizon} steps beside {', '.join(names[1:])}, {job.times(turns)} turns of the closed loop")
    settings, limits = ModelSettings(load_cell(), STEP_S), MpcLimits(3.63, 3.87, 0.05, 0.95, 318.15)
    loops = {name: _ClosedLoop(make_planner(name)(settings, horizon), settings, limits) for name in names}
    for turn in range(job.times(turns)):
        for name, loop in loops.items():
            if name == "ours" or horizon == SHORT or turn % SLOWER == 0:
                loop.turn()
    return loops


def make_planner(name: str) -> Callable[[ModelSettings, int], Planner]:
    """Return what makes a planner: "ours", "ipopt", "fatrop" or "do-mpc"."""
    from control.mpc_plan import MpcPlan  # noqa: PLC0415  # only this figure needs it
    from workbench.measure.peers.do_mpc_plan import DoMpcPlan  # noqa: PLC0415
    from workbench.measure.peers.nonlinear_plan import NonlinearPlan  # noqa: PLC0415

    if name in {"ipopt", "fatrop"}:
        return lambda settings, horizon: NonlinearPlan(settings, horizon, name)
    return MpcPlan if name == "ours" else DoMpcPlan


class _ClosedLoop:
    """A planner in closed loop with a plant of its own: one cell with a tenth more resistance than the model."""

    def __init__(self, plan: Planner, settings: ModelSettings, limits: MpcLimits) -> None:
        from control.mpc_observer import PackObserver  # noqa: PLC0415  # only this figure needs it
        from twin import ecm  # noqa: PLC0415
        from twin.ports import PackSpec  # noqa: PLC0415

        self.plan, self._limits, self._cell_ah = plan, limits, settings.cell.capacity_ah
        self._observer = PackObserver(settings, 1.0, 298.15)
        pack = PackSpec(1, 1, self._cell_ah, np.full(1, START_SOC), np.ones(1), np.full(1, AHEAD), 298.15)
        self._plant = ecm.build(pack, {})
        self._state, self._turn = self._plant.step(np.zeros(1), 298.15, STEP_S), 0
        self.took_s = list[float]()
        self.busy_s = list[float]()
        self.costs = list[float]()
        self.bound = 0

    def turn(self) -> None:
        """Measure, plan, and apply the first current."""
        from control.mpc_goal import track_current  # noqa: PLC0415  # only this figure needs it
        from control.mpc_model import UNIT_V  # noqa: PLC0415
        from control.mpc_plan import InputRange  # noqa: PLC0415
        from control.mpc_program import SLACK  # noqa: PLC0415
        from drivers.snapshot import Estimate, PackReading  # noqa: PLC0415

        state = self._state
        reading = PackReading(0.0, float(state.current_a[0]), np.zeros(1), state.voltage_v, state.temperature_k)
        self._observer.observe(reading, Estimate(state.soc, np.full(1, 0.01)), STEP_S)
        reference_c = _draw_duty(self._turn + np.arange(self.plan.inputs.shape[1], dtype=np.float64))
        limits, allowed = self._observer.narrow(self._limits), InputRange((1.0, 1.0), (1.0, 1.0))
        goal, start = track_current(reference_c), self._observer.start
        if self._turn:
            self.plan.shift()
        began_s = time.thread_time()
        self.took_s += time_calls(lambda: self.plan.solve(start, goal, limits, allowed), 1).tolist()
        self.busy_s.append(time.thread_time() - began_s)
        current_c = float(self.plan.current_c[0])
        self._state = self._plant.step(np.full(1, current_c * self._cell_ah), 298.15, STEP_S)
        self._turn += 1
        self.bound += abs(current_c - reference_c[0]) > BOUND_C
        volts = float(self._state.voltage_v[0])
        over = max(0.0, volts - self._limits.high_v, self._limits.low_v - volts) / UNIT_V
        self.costs.append((current_c - float(reference_c[0])) ** 2 + SLACK[0] * over + SLACK[1] * over**2)


def _draw_duty(turn: Floats) -> Floats:
    """Return the duty in C (discharge positive): a wave whose peaks the voltage limits cut."""
    return 0.33 * np.sin(turn / 7.0) + 0.67 * np.sign(np.sin(turn / 31.0))


def _measure_jumps(job: MeasureJob, conditions: str, peer: Planner) -> MeasureRow:
    """Let charge, temperature and voltage of the pack jump at random; every step must have a plan in its range."""
    from control.mpc_model import ModelSettings  # noqa: PLC0415  # only this figure needs it
    from twin.cell_parameters import load_cell  # noqa: PLC0415

    settings, steps, fewer = ModelSettings(load_cell(), STEP_S), job.times(10_000), job.times(40)
    job.say(f"MPC of 96 steps, {steps} steps with jumps of 50 mV, 10 K and 20 % SoC")
    found = count_found(make_planner("ours")(settings, LONG), steps)
    peers = count_found(peer, fewer)
    words = f"{conditions}; {steps} steps of 96-step plans, peer {fewer}; jumps of 50 mV, 10 K, 20 % SoC"
    return FOUND.make_row(100.0 * found / steps, 100.0 * peers / fewer, words)


def count_found(plan: Planner, steps: int) -> int:
    """Return in how many of `steps` a plan was found that stays within the hard range."""
    from control.mpc_goal import track_current  # noqa: PLC0415  # only this figure needs it
    from control.mpc_model import MpcLimits  # noqa: PLC0415
    from control.mpc_plan import InputRange  # noqa: PLC0415

    random = np.random.default_rng(JUDGED_SEED)
    at = {"soc": 0.5, "kelvin": 298.15, "volt": 0.0}
    ranges = {"soc": (0.0, 1.0), "kelvin": (263.15, 328.15), "volt": (-0.1, 0.1)}
    limits, found = MpcLimits(3.0, 4.15, 0.1, 0.9, 318.15, 0.0), 0
    for step in range(steps):
        for name, size in JUMPS.items():
            if random.random() < JUMPS_OFTEN:
                at[name] = float(np.clip(at[name] + size * random.choice([-1.0, 1.0]), *ranges[name]))
        reference_c = _draw_duty(step + np.arange(plan.inputs.shape[1], dtype=np.float64))
        start = np.array([at["soc"], 0.0, 0.0, at["kelvin"], 0.0])
        rows = limits.narrow(at["volt"], 0.05 - at["volt"], 0.0, 0.0).list_rows(298.15, 0.0)
        most_c = float(random.uniform(0.2, 1.0))
        plan.shift()
        solved = plan.solve(start, track_current(reference_c), rows, InputRange((most_c, most_c), (1.0, 1.0)))
        found += solved and abs(float(plan.current_c[0])) <= most_c
        at["soc"] = float(np.clip(at["soc"] - plan.current_c[0] * STEP_S / 3600.0, 0.0, 1.0))
    return found


def _measure_days(job: MeasureJob, conditions: str) -> MeasureRow:
    """Compare what both save over a pack that stays at rest, on the same days."""
    from control.tasks.task import find_task, read_task  # noqa: PLC0415  # only this figure needs it

    task, days = read_task(find_task("arbitrage")), job.times(DAYS)
    if job.share < 1.0:
        task = task.model_copy(update={"steps": max(8, job.times(96)), "preview": SHORT})
    job.say(f"MPC beside IPOPT, {days} days of arbitrage of {task.steps} steps")
    idle, ours, peer = (
        sum(run_day(task, day, make_planner(name) if name else None) for day in range(days))
        for name in ("", "ours", "ipopt")
    )
    words = f"{conditions}; {days} days, seed {JUDGED_SEED}, {task.steps} steps of 15 min; at rest {idle:.4f} EUR"
    words += f", ours {ours:.4f} EUR, IPOPT {peer:.4f} EUR"
    return SAVED.make_row(100.0 * (idle - ours) / (idle - peer), 100.0, words)


def run_day(task: ControlTask, day: int, make_plan: Any) -> float:
    """Return the cost (EUR) of one episode of `task` under the MPC with this planner, or at rest."""
    from control.ports import CurrentRange  # noqa: PLC0415  # only this figure needs it
    from control.task_mpc import build_task_mpc  # noqa: PLC0415
    from control.tasks.simulation import TaskSimulation  # noqa: PLC0415
    from drivers.snapshot import Estimate, PackReading  # noqa: PLC0415

    simulation, cost_eur = TaskSimulation(task, JUDGED_SEED, 1, first=day), 0.0
    controller = build_task_mpc(task, simulation.episodes.signal[0].copy(), make_plan=make_plan) if make_plan else None
    for step in range(task.steps):
        current_a = 0.0
        if controller:
            soc, kelvin = simulation.seen[:2, 0].copy(), simulation.seen[6:, 0].copy()
            measured_a = float(simulation.last_a[0] + simulation.episodes.current_bias_a[0])
            reading = PackReading(0.0, measured_a, np.zeros(2), simulation.voltage_v[:, 0].copy(), kelvin)
            allowed = CurrentRange(*simulation.allowed[:, 0].tolist())
            passed_s = task.step_s if step else 0.0
            current_a = controller.decide(reading, Estimate(soc, np.full(2, 0.01)), allowed, passed_s).current_a
        cost_eur += float(simulation.step(np.array([current_a])).cost_eur[0])
    return cost_eur
