"""What the lanes of each role answered in one turn; an answer of another shape ends its lane like an exception."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from control.ports import Controller, CurrentRange, Decision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.snapshot import Estimate, Floats, PackReading
    from twin.ports import Estimator, PackState, Twin


class TwinOutput(NamedTuple):
    """A twin's answer, and by how much it lags."""

    state: PackState
    age_s: float


class LaneOutputs(NamedTuple):
    """What the lanes of each role said this turn, by name; who failed is absent."""

    packs: Mapping[str, PackState]
    age_s: Mapping[str, float]
    estimates: Mapping[str, Estimate]
    decisions: Mapping[str, Decision]


def step_twin(current_a: Floats, ambient_k: float, dt_s: float) -> Callable[[Twin], TwinOutput]:
    """One step of a twin; raises `ValueError` for arrays of another size than its cells."""

    def work(lane: Twin) -> TwinOutput:
        state, cells = lane.step(current_a, ambient_k, dt_s), len(lane.columns)
        for name in ("voltage_v", "temperature_k", "soc"):
            _check_shape(name, getattr(state, name), cells)
        return TwinOutput(state, float(lane.age_s()))

    return work


def update_estimator(reading: PackReading, dt_s: float, cells: int) -> Callable[[Estimator], Estimate]:
    """One update of an estimator; raises `ValueError` for arrays of another size than the pack's cells."""

    def work(lane: Estimator) -> Estimate:
        belief = lane.update(reading, dt_s)
        for name in ("soc", "soc_std"):
            _check_shape(name, getattr(belief, name), cells)
        return belief

    return work


def run_controller(
    reading: PackReading, belief: Estimate, allowed: CurrentRange, dt_s: float
) -> Callable[[Controller], Decision]:
    """One decision; raises `TypeError` or `ValueError` for what is not a number."""

    def work(lane: Controller) -> Decision:
        wish = lane.decide(reading, belief, allowed, dt_s)
        return Decision(float(wish.current_a), float(wish.cost), int(wish.violations))

    return work


def _check_shape(name: str, values: Floats, cells: int) -> None:
    if values.shape != (cells,):
        raise ValueError(f"{name} has shape {values.shape} for {cells} cells")
