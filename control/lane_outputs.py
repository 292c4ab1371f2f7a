"""Validated outputs of the lanes of one turn; an output of the wrong shape ends its lane like an exception."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from control.ports import Controller, CurrentRange, Decision, Fallback
from control.shadow.watcher import NO_SCORES, ShadowScores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.snapshot import Estimate, Floats, PackReading
    from twin.ports import Estimator, PackState, Twin


class TwinOutput(NamedTuple):
    """A twin's output, and its age: by how much it lags."""

    state: PackState
    age_s: float


class LaneOutputs(NamedTuple):
    """Outputs of the lanes of each role this turn, by name; a failed lane is absent."""

    packs: Mapping[str, PackState]
    age_s: Mapping[str, float]
    estimates: Mapping[str, Estimate]
    decisions: Mapping[str, Decision]
    shadow: ShadowScores = NO_SCORES


def step_twin(current_a: Floats, ambient_k: float, dt_s: float) -> Callable[[Twin], TwinOutput]:
    """Return a function that steps a twin; it raises `ValueError` if an array's size is not the twin's cell count."""

    def work(lane: Twin) -> TwinOutput:
        state, cells = lane.step(current_a, ambient_k, dt_s), len(lane.columns)
        for name in ("voltage_v", "temperature_k", "soc"):
            _check_shape(name, getattr(state, name), cells)
        return TwinOutput(state, float(lane.age_s()))

    return work


def update_estimator(reading: PackReading, dt_s: float, cells: int) -> Callable[[Estimator], Estimate]:
    """Return a function that updates an estimator; it raises `ValueError` if an array's size is not `cells`."""

    def work(lane: Estimator) -> Estimate:
        estimate = lane.update(reading, dt_s)
        for name in ("soc", "soc_std"):
            _check_shape(name, getattr(estimate, name), cells)
        return estimate

    return work


def run_controller(
    reading: PackReading, estimate: Estimate, allowed: CurrentRange, dt_s: float
) -> Callable[[Controller], Decision]:
    """Return a function that runs a controller; it raises `TypeError` or `ValueError` for a value that is no number."""

    def work(lane: Controller) -> Decision:
        decision = lane.decide(reading, estimate, allowed, dt_s)
        return Decision(
            float(decision.current_a),
            float(decision.cost),
            int(decision.violations),
            int(decision.interventions),
            Fallback(decision.fallback),
            str(decision.note),
        )

    return work


def _check_shape(name: str, values: Floats, cells: int) -> None:
    if values.shape != (cells,):
        raise ValueError(f"{name} has shape {values.shape} for {cells} cells")
