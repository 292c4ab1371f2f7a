"""`measure rl`: the environment, policies, and every controller of the tasks on the episodes of the judges."""

from __future__ import annotations

import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.measure import market
from workbench.measure.job import describe_conditions, percentile, time_calls
from workbench.measure.metric import MeasuredMetric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from control.tasks.episode_runner import EpisodeScore
    from control.tasks.task import ControlTask
    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow

_DFN: Final = "the same task on PyBaMM's DFN, one cell a pack"
_SUBSTEPS: Final = "a step of 15 minutes is five substeps of the circuit, each of 4 cells"
_SLOW: Final = "the slow machine; met on cores twice as fast"
_NO_POLICY: Final = "no trained policy is shipped for this task"
_RULE: Final = "the tuned rule"
RATES: Final = {
    "arbitrage": MeasuredMetric("arbitrage, pack-steps a second on a core", "/s", ">=", 200e3, _DFN, _SUBSTEPS),
    "duty_tracking": MeasuredMetric("duty tracking, pack-steps a second on a core", "/s", ">=", 200e3, _DFN, _SLOW),
    "fast_charge": MeasuredMetric("fast charge, pack-steps a second on a core", "/s", ">=", 200e3, _DFN, _SLOW),
}
ANSWER: Final = MeasuredMetric("shipped policy, one answer, p50", "us", "<", 50.0, "torch, the same layers", _NO_POLICY)
SHADOW: Final = MeasuredMetric("shadow, a day of one pack, MPC active", "s", "<", 3.0)
MPC: Final = MeasuredMetric("arbitrage, cost of a day, MPC", "EUR", "<", 0.0, _RULE)
WRONG: Final = MeasuredMetric("arbitrage, cost of a day, MPC that is 30 % wrong", "EUR", "<", 0.0, "the MPC")
TRADER: Final = MeasuredMetric("arbitrage, cost of a day, policy", "EUR", "<", 0.0, _RULE, _NO_POLICY)
DUTY: Final = MeasuredMetric("duty tracking, cost of the policy over that of the MPC", "", "<=", 1.02, "", _NO_POLICY)
STAGES: Final = MeasuredMetric("fast charge on DFN, minutes of multi-stage CC over those of CC-CV", "", "<", 1.0)
CHARGE: Final = MeasuredMetric("fast charge on DFN, minutes of the MPC over those of multi-stage CC", "", "<", 1.0)
ANODE: Final = MeasuredMetric(
    "fast charge on DFN, lowest anode potential of the MPC", "mV", ">=", 10.0, "multi-stage CC at the same margin"
)
METRICS: Final = (*RATES.values(), ANSWER, SHADOW, MPC, WRONG, TRADER, *market.METRICS, DUTY, STAGES, CHARGE, ANODE)

PACKS: Final = 1000
SEED: Final = 4000  # a judge's: neither trainings nor the tuning of rules use it
PATIENT_STEPS: Final = 960  # 4 h, so that the slowest charge ends


def measure(job: MeasureJob) -> Iterator[MeasureRow]:
    """Measure rates, answers and days, each controller on the same episodes."""
    from control.tasks.task import find_task, list_tasks, read_task  # noqa: PLC0415  # numba takes a moment

    conditions = describe_conditions()
    tasks = {name: read_task(find_task(name)) for name in list_tasks()}
    yield from _measure_rates(job, tasks, conditions)
    yield _measure_answer(job, tasks["duty_tracking"], conditions)
    yield _measure_shadow(job, tasks["arbitrage"], conditions)
    yield from _measure_trade(job, tasks["arbitrage"], conditions)
    trade = tasks["arbitrage"]
    yield from market.measure_market(job, trade, SEED, find_policy(trade), conditions)
    yield _measure_duty(job, tasks["duty_tracking"], conditions)
    yield from _measure_charge(job, tasks["fast_charge"], conditions)


def find_policy(task: ControlTask) -> Path | None:
    """Return the shipped policy of a task, if there is one."""
    lane: Any = import_module("control.rl.lane")
    path = Path(lane.SHIPPED).with_name(f"{task.name}.onnx")
    return path if path.is_file() else None


def _measure_rates(job: MeasureJob, tasks: dict[str, ControlTask], conditions: str) -> Iterator[MeasureRow]:
    from control.tasks.reference_packs import ReferencePacks  # noqa: PLC0415  # PyBaMM takes seconds
    from control.tasks.simulation import TaskSimulation  # noqa: PLC0415

    for name, metric in RATES.items():
        job.say(f"{name}: {PACKS} packs at once")
        task, packs = tasks[name], max(10, job.times(PACKS))
        fast, exact = TaskSimulation(task, SEED, packs), TaskSimulation(task, SEED, 1, make_packs=ReferencePacks)
        current_a = np.full(packs, -0.1 * task.pack_ah)
        fast.step(current_a)  # compiles
        step_s = _time_core(lambda: fast.step(current_a), job.times(100))  # noqa: B023  # called at once
        exact_s = _time_core(lambda: exact.step(current_a[:1]), job.times(20))  # noqa: B023  # likewise
        words = f"{conditions}; {packs} packs of {task.pack.cells} cells, shield, sensors and cost; time of the core"
        yield metric.make_row(packs / step_s, 1.0 / exact_s, words)


def _time_core(work: Callable[[], object], times: int) -> float:
    """Return the median of the core's own time (s) of a call: what others take of the core does not count."""
    took_s: list[float] = []
    for _ in range(times):
        began_s = time.process_time()
        work()
        took_s.append(time.process_time() - began_s)
    return percentile(took_s, 50.0)


def _measure_answer(job: MeasureJob, task: ControlTask, conditions: str) -> MeasureRow:
    """Time single answers of the policy that the lane ships."""
    from control.tasks.controllers import load_policy  # noqa: PLC0415  # onnxruntime takes a moment

    path, repeats = find_policy(task), max(100, job.times(5000))
    if path is None:
        return ANSWER.make_row(float("nan"), None, conditions)
    policy = load_policy(str(path))
    observation = np.array(policy.info.golden_observations[0])
    took_s = time_calls(lambda: policy.act(observation[None]), repeats)
    return ANSWER.make_row(1e6 * percentile(took_s, 50.0), _time_torch(path, observation, repeats), conditions)


def _time_torch(path: Path, observation: Any, repeats: int) -> float | None:
    """Return the median of torch in us; None where it is not installed."""
    try:
        peer: Any = import_module("control.rl.torch_peer")
    except ImportError:
        return None
    return 1e6 * percentile(peer.time_torch(path, observation, repeats), 50.0)


def _measure_shadow(job: MeasureJob, task: ControlTask, conditions: str) -> MeasureRow:
    from control.tasks.shadow import run_shadow_day  # noqa: PLC0415  # only this figure needs it

    job.say("days in the shadow of the MPC")
    path, days = find_policy(task), iter(range(1000))
    candidate = "rule" if path is None else str(path)
    run_shadow_day("mpc", candidate, task, SEED, next(days))  # loads and compiles
    took_s = _time_core(lambda: run_shadow_day("mpc", candidate, task, SEED, next(days)), job.times(5))
    name = "rule" if path is None else path.name
    return SHADOW.make_row(took_s, None, f"{conditions}; candidate {name}, both loops; time of the core")


def _measure_trade(job: MeasureJob, task: ControlTask, conditions: str) -> Iterator[MeasureRow]:
    """Compare what a day costs; the shield is on for all."""
    days, path = job.times(40), find_policy(task)
    costs = {name: _mean_cost(_run(job, name, task, days)) for name in ("rule", "mpc", "mpc-wrong")}
    words = f"{conditions}; {days} days of seed {SEED}, ECM"
    yield MPC.make_row(costs["mpc"], costs["rule"], words)
    yield WRONG.make_row(costs["mpc-wrong"], costs["mpc"], words)
    policy = float("nan") if path is None else _mean_cost(_run(job, str(path), task, days))
    yield TRADER.make_row(policy, costs["rule"], words)


def _measure_duty(job: MeasureJob, task: ControlTask, conditions: str) -> MeasureRow:
    days, path = job.times(20), find_policy(task)
    words = f"{conditions}; {days} episodes of seed {SEED}, ECM"
    if path is None:
        return DUTY.make_row(float("nan"), None, words)
    mpc, policy = (_mean_cost(_run(job, name, task, days)) for name in ("mpc", str(path)))
    return DUTY.make_row(policy / mpc, None, f"{words}: {policy:.5f} and {mpc:.5f} EUR")


def _measure_charge(job: MeasureJob, task: ControlTask, conditions: str) -> Iterator[MeasureRow]:
    """Compare the minutes from 10 to 80 % and the true anode potential on PyBaMM, the shield on for all."""
    patient, packs = task.model_copy(update={"steps": PATIENT_STEPS}), job.times(8)
    scores = {name: _run(job, name, patient, packs, model="DFN") for name in ("rule", "stages", "mpc")}
    minutes = {name: float(np.mean([score.minutes for score in run])) for name, run in scores.items()}
    lowest_mv = {name: 1e3 * min(score.anode_v for score in run) for name, run in scores.items()}
    violations = sum(score.violations for run in scores.values() for score in run)
    words = f"{conditions}; {packs} packs of seed {SEED}, {violations} violations"
    yield STAGES.make_row(
        minutes["stages"] / minutes["rule"], None, f"{words}: {minutes['stages']:.1f} and {minutes['rule']:.1f} min"
    )
    yield CHARGE.make_row(
        minutes["mpc"] / minutes["stages"], None, f"{words}: {minutes['mpc']:.1f} and {minutes['stages']:.1f} min"
    )
    yield ANODE.make_row(lowest_mv["mpc"], lowest_mv["stages"], words)


def _run(job: MeasureJob, name: str, task: ControlTask, days: int, **more: Any) -> Sequence[EpisodeScore]:
    from control.tasks.episode_runner import run_episode  # noqa: PLC0415  # only this figure needs it

    job.say(f"{task.name}: {days} episodes with {Path(name).name}")
    return [run_episode(name, task, SEED, day, **more) for day in range(days)]


def _mean_cost(scores: Sequence[EpisodeScore]) -> float:
    return float(np.mean([score.cost_eur for score in scores]))
