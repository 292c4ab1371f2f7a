"""Any controller over episodes of a task: one pack at a time, its cost by part, violations and decision times."""

from __future__ import annotations

import math
import multiprocessing
import signal
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from control.ports import CurrentRange, Fallback
from control.tasks.controllers import MPC, build_controller
from control.tasks.pack_batch import PackBatch
from control.tasks.simulation import TaskSimulation
from control.tasks.task import TaskKind
from drivers.clock import monotonic
from drivers.processes import end_with_parent
from drivers.snapshot import Estimate, PackReading

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from multiprocessing.process import BaseProcess

    from control.ports import Controller, Decision
    from control.tasks.episodes import Episodes
    from control.tasks.simulation import Outcome, SimulatedPacks
    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats

Result = TypeVar("Result")
MINUTE_S: Final = 60.0
ECM: Final = "ECM"


@dataclass(frozen=True)
class EpisodeScore:
    """The score of one controller in one episode; costs in EUR, `cost_eur` their sum.

    `violations`: steps in which a limit was broken; `interventions`: requests that the shield changed, or would have
    changed, by more than 1 % of the rating; `fallbacks`: decisions that were not the controller's own new plan.
    `minutes`: until a charge reached its target, NaN without one. `anode_v`: the lowest anode potential.
    """

    controller: str
    seed: int
    number: int
    is_shielded: bool
    steps: int
    tracking_eur: float
    energy_eur: float
    wear_eur: float
    time_eur: float
    violation_eur: float
    settled_eur: float
    violations: int
    interventions: int
    fallbacks: int
    minutes: float
    anode_v: float
    note: str
    took_s: tuple[float, ...]

    @property
    def cost_eur(self) -> float:
        parts = self.tracking_eur + self.energy_eur + self.wear_eur + self.time_eur
        return parts + self.violation_eur + self.settled_eur

    def find_time_s(self, percent: float) -> float:
        """Return a percentile of the time that one decision took."""
        return float(np.percentile(self.took_s, percent))


class EpisodeTally:
    """Adds up the score of an episode, step by step."""

    def __init__(self) -> None:
        self.sums = np.zeros(6)
        self.violations = self.interventions = self.fallbacks = 0
        self.anode_v, self.note, self.took_s = math.inf, "", list[float]()

    def add(self, outcome: Outcome, decision: Decision, violation_eur: float) -> None:
        """Add one step of a simulation of one pack."""
        parts = outcome.parts
        broken = float(parts.broken[0])
        costs = (parts.tracking[0], parts.energy[0], parts.wear[0], parts.time[0], violation_eur * broken)
        self.sums += (*costs, outcome.settled_eur[0])
        self.violations += bool(broken)
        self.interventions += bool(outcome.intervened[0])
        self.fallbacks += decision.fallback is not Fallback.NONE
        self.anode_v = min(self.anode_v, float(outcome.step.anode_v[0]))
        self.note = self.note or decision.note


class EpisodeRunner:
    """One pack of a simulation, its measured values as a controller gets them on the bench, and the tally."""

    def __init__(self, task: ControlTask, seed: int, number: int, **simulation: Any) -> None:
        self.task, self.seed, self.number = task, seed, number
        self.simulation = TaskSimulation(task, seed, 1, first=number, **simulation)
        self.signal: Floats = self.simulation.episodes.signal[0].copy()
        self.tally = EpisodeTally()
        self._step = 0
        self.has_ended = False

    def observe(self) -> Floats:
        """Return the observation of this step, for a policy."""
        return self.simulation.observation[0]

    def read(self) -> tuple[PackReading, Estimate]:
        """Return what the sensors show and what an estimator makes of it: the cells lie evenly between the extremes."""
        measured, cells = self.simulation.measured, self.task.pack.cells

        def spread(extremes: Floats) -> Floats:
            low, high = extremes[:, 0].tolist()
            return np.linspace(float(low), float(high), cells, dtype=np.float64)

        current_a, time_s = float(measured.current_a[0]), self._step * self.task.step_s
        voltage_v, kelvin, soc = spread(measured.voltage_v), spread(measured.kelvin), spread(measured.soc)
        reading = PackReading(time_s, current_a, np.zeros(cells), voltage_v, kelvin)
        return reading, Estimate(soc, np.full(cells, self.task.varies.soc_error))

    def ask(self, controller: Controller, took_s: list[float]) -> Decision:
        """Return the decision of a controller for this step, and note in `took_s` how long it took.

        The pack itself allows the limits of the task; the shield is not the controller's business.
        """
        reading, estimate = self.read()
        allowed = CurrentRange(self.task.charge_a, self.task.discharge_a)
        began_s = monotonic()
        decision = controller.decide(reading, estimate, allowed, self.task.step_s)
        took_s.append(monotonic() - began_s)
        return decision

    def apply(self, decision: Decision) -> None:
        """Advance by one step under the decision."""
        outcome = self.simulation.step(np.array([decision.current_a]))
        self.tally.add(outcome, decision, self.task.cost.violation_eur)
        self._step += 1
        self.has_ended = bool(outcome.ended[0])

    def make_score(self, controller: str) -> EpisodeScore:
        """Return the score of the steps so far."""
        tally = self.tally
        tracking, energy, wear, time, violation, settled = tally.sums.tolist()
        is_charged = self.task.kind is TaskKind.CHARGE and self._step < self.task.steps
        return EpisodeScore(
            controller=controller,
            seed=self.seed,
            number=self.number,
            is_shielded=self.simulation.shielded,
            steps=self._step,
            tracking_eur=tracking,
            energy_eur=energy,
            wear_eur=wear,
            time_eur=time,
            violation_eur=violation,
            settled_eur=settled,
            violations=tally.violations,
            interventions=tally.interventions,
            fallbacks=tally.fallbacks,
            minutes=self._step * self.task.step_s / MINUTE_S if is_charged else math.nan,
            anode_v=tally.anode_v,
            note=tally.note,
            took_s=tuple(tally.took_s),
        )


def run_episode(
    name: str, task: ControlTask, seed: int, number: int, *, instead: str = MPC, model: str = ECM, **simulation: Any
) -> EpisodeScore:
    """Run one controller (see `build_controller`) over one episode on `ECM`, "DFN" or "SPMe".

    More options are those of `TaskSimulation`.
    """
    runner = EpisodeRunner(task, seed, number, make_packs=find_packs(model), **simulation)
    controller = build_controller(name, task, runner.signal, runner.observe, instead)
    while not runner.has_ended:
        runner.apply(runner.ask(controller, runner.tally.took_s))
    return runner.make_score(name)


def find_packs(model: str) -> Callable[[ControlTask, Episodes], SimulatedPacks]:
    """Return what makes the packs of a simulation: the ECM batch, or a model of PyBaMM by its name."""
    if model == ECM:
        return PackBatch
    from control.tasks.reference_packs import ReferencePacks  # noqa: PLC0415  # PyBaMM takes seconds

    return partial(ReferencePacks, model=model)


def run_in_processes(calls: Sequence[Callable[[], Result]], processes: int) -> Generator[Result, None, None]:
    """Yield the result of each call in order, over `processes` new processes; in this one for a single process."""
    if processes <= 1:
        for call in calls:
            yield call()
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _begin_process) as pool:
        try:
            for future in [pool.submit(call) for call in calls]:
                yield future.result()
        except BaseException:  # a Ctrl-C, or whoever takes the results has enough: no work is worth waiting for
            _end_processes(pool)
            raise


def _end_processes(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool in the middle of their calls, which write no files."""
    processes: dict[int, BaseProcess] = dict(pool._processes or {})  # noqa: SLF001  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]  # until Python 3.14 has kill_workers
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes.values():
        process.terminate()
    for process in processes.values():
        process.join()


def _begin_process() -> None:
    """Leave an interrupt to the process that has the results; end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()


def describe_score(score: EpisodeScore) -> dict[str, Any]:
    """Return a score as scripts read it."""
    content = {field.name: getattr(score, field.name) for field in fields(score) if field.name != "took_s"}
    times = {"p50_ms": 1e3 * score.find_time_s(50.0), "p99_ms": 1e3 * score.find_time_s(99.0)}
    return {**content, "cost_eur": score.cost_eur, **times}
