"""A forecast of one cell over a duty: two models of it, and an interval of how far they differ.

What a model of a cell leaves out is not known from that model alone. So the duty runs on the DFN and on a simpler
form (SPMe, or the circuit where there is no SPMe). The DFN is the forecast; the interval at a time is the greatest
difference of both until then: it never narrows. A cell that has only a circuit has a forecast without an interval.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from twin.thermal import step_temperature

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.snapshot import Floats
    from twin.cell_parameters import CellParameters
    from twin.cell_physics import CellPhysics
    from twin.duty_file import Duty

STEPS: Final = 1200  # of a horizon, at most
AGEING_STEPS: Final = 360  # of a cell that ages: each takes four times as long
OWN_AGEING: Final = ("OKane2022",)
SHORTEST_S: Final = 1.0
DAY_S: Final = 86400.0
CIRCUIT_STEP_S: Final = 1.0


class CellModel(Protocol):
    """One cell that is stepped in its own amperes."""

    name: str

    @property
    def lost_ah(self) -> float | None:
        """Lithium bound until now (Ah); None of a model that does not age."""
        ...

    def step(self, current_a: float, ambient_k: float, dt_s: float) -> tuple[float, float]:
        """Return voltage (V) and temperature (K); raise `ArithmeticError` where the model ends."""
        ...


@dataclass
class Course:
    """What one model says: `rows[n]` = time (s), voltage (V), temperature (K), current (A), energy out (Wh).

    `ended`: why it stopped before the horizon, or empty. `lost_ah`: lithium bound, None of a model that does not age.
    """

    model: str
    rows: list[tuple[float, float, float, float, float]] = field(default_factory=list)
    ended: str = ""
    lost_ah: float | None = None


class PhysicsModel:
    """DFN or SPMe of PyBaMM under IDAKLU; sodium: BasicDFN."""

    def __init__(self, cell: CellParameters, physics: CellPhysics, model: str, soc: float, ambient_k: float) -> None:
        from twin.pybamm_models import ReferenceCell  # noqa: PLC0415  # PyBaMM takes seconds

        self._ages = ages(cell)
        self._cell = ReferenceCell(soc, physics, model, ageing=self._ages)
        self._physics, self._kelvin = physics, ambient_k
        self.name = self._cell.model

    @property
    def lost_ah(self) -> float | None:
        return self._cell.lost_ah if self._ages else None

    def step(self, current_a: float, ambient_k: float, dt_s: float) -> tuple[float, float]:
        """Step, then warm by the heat of the losses."""
        read = self._cell.step(current_a, self._kelvin, dt_s)
        heat_w = current_a * (read.bulk_ocv_v - read.voltage_v)
        cooling_w_k = self._physics.cooling_w_k
        ratio = dt_s * cooling_w_k / self._physics.heat_capacity_j_k
        self._kelvin = step_temperature(self._kelvin, ambient_k + heat_w / cooling_w_k, ratio)
        return read.voltage_v, self._kelvin


class CircuitModel:
    """The circuit of the cell file."""

    name = "circuit"
    lost_ah = None

    def __init__(self, cell: CellParameters, soc: float, ambient_k: float) -> None:
        from twin.ecm import EcmPack  # noqa: PLC0415  # numba takes a second
        from twin.ports import PackSpec  # noqa: PLC0415

        one = np.ones(1)
        pack = PackSpec(1, 1, cell.circuit.capacity_ah, soc * one, one, one, ambient_k, cell)
        self._pack, self._one = EcmPack(pack, cell.circuit), one

    def step(self, current_a: float, ambient_k: float, dt_s: float) -> tuple[float, float]:
        """Step in seconds: the parameters follow the state of charge."""
        count = max(round(dt_s / CIRCUIT_STEP_S), 1)
        state = [self._pack.step(current_a * self._one, ambient_k, dt_s / count) for _ in range(count)][-1]
        if state.outside:
            raise ArithmeticError("the circuit's table ends")
        return float(state.voltage_v[0]), float(state.temperature_k[0])


def ages(cell: CellParameters) -> bool:
    """Return whether the cell's set has ageing parameters of its own: those of another paper's cell do not count."""
    return cell.physics is not None and cell.physics.parameter_set in OWN_AGEING


def choose_models(cell: CellParameters) -> tuple[str, ...]:
    """Return the models of a forecast, the best first: what the cell file has."""
    if cell.physics is None:
        return ("circuit",)
    return ("DFN", "SPMe") if cell.physics.model == "SPMe" else ("DFN", "circuit")


def build_model(name: str, cell: CellParameters, soc: float, ambient_k: float) -> CellModel:
    """Return one of `choose_models` at rest."""
    if name == "circuit" or cell.physics is None:
        return CircuitModel(cell, soc, ambient_k)
    return PhysicsModel(cell, cell.physics, name, soc, ambient_k)


def plan_steps(horizon_s: float, most: int = STEPS) -> Floats:
    """Return the times (s) between the steps of a horizon, from 0: at most so many equal ones, a second or longer."""
    return np.linspace(0.0, horizon_s, min(most, max(int(horizon_s / SHORTEST_S), 1)) + 1)


def run_course(
    model: CellModel,
    cell: CellParameters,
    duty: Duty,
    times_s: Floats,
    ambient_k: float,
    *,
    report: Callable[[float], object] = lambda _: None,
) -> Course:
    """Run the duty on one model until its horizon, a limit of the cell's voltage, or the end of the model."""
    course, (low_v, high_v) = Course(model.name), (cell.limits.low_v, cell.limits.high_v)
    values = duty.average(times_s[:-1], times_s[1:])
    voltage_v, energy_wh = model.step(0.0, ambient_k, SHORTEST_S)[0], 0.0
    lost_before_ah = model.lost_ah
    for number, (dt_s, value) in enumerate(zip(np.diff(times_s), values, strict=True)):
        current_a = _find_current(duty.kind, float(value), voltage_v, cell.nominal_ah)
        try:
            voltage_v, kelvin = model.step(current_a, ambient_k, float(dt_s))
        except ArithmeticError:
            course.ended = f"{model.name} has no solution after {times_s[number]:.0f} s"
            break
        energy_wh += current_a * voltage_v * float(dt_s) / 3600.0
        course.rows.append((float(times_s[number + 1]), voltage_v, kelvin, current_a, energy_wh))
        report((number + 1) / len(values))
        if not low_v <= voltage_v <= high_v:
            bound_v = low_v if voltage_v < low_v else high_v
            course.ended = (
                f"{model.name}: {voltage_v:.3f} V is past the cell's {bound_v:g} V at {times_s[number + 1]:.0f} s"
            )
            break
    if lost_before_ah is not None:
        course.lost_ah = (model.lost_ah or 0.0) - lost_before_ah
    return course


def _find_current(kind: str, value: float, voltage_v: float, nominal_ah: float) -> float:
    """Return the current of a step: for a power, at the voltage before the step."""
    return {"current_a": value, "c_rate": value * nominal_ah, "power_w": value / voltage_v}[kind]


@dataclass(frozen=True)
class Forecast:
    """Columns over time; half widths of the intervals are None where there is one model.

    `lost_ah_day`: lithium bound in Ah a day by each model, the first one the forecast; empty where no set of its own.
    """

    models: tuple[str, ...]
    time_s: Floats
    voltage_v: Floats
    kelvin: Floats
    current_a: Floats
    energy_wh: Floats
    voltage_half_v: Floats | None
    kelvin_half_k: Floats | None
    energy_half_wh: Floats | None
    ended: tuple[str, ...]
    lost_ah_day: tuple[float, ...]


def compare_courses(courses: list[Course]) -> Forecast:
    """Return the forecast: the first course, with intervals from the second; as long as the shorter of both."""
    count = min(len(course.rows) for course in courses)
    first, *others = (np.array(course.rows[:count]).reshape(count, 5) for course in courses)
    halves: list[Floats | None] = [None, None, None]
    if others:
        halves = [np.maximum.accumulate(np.abs(first[:, place] - others[0][:, place])) for place in (1, 2, 4)]
    return Forecast(
        tuple(course.model for course in courses),
        time_s=first[:, 0],
        voltage_v=first[:, 1],
        kelvin=first[:, 2],
        current_a=first[:, 3],
        energy_wh=first[:, 4],
        voltage_half_v=halves[0],
        kelvin_half_k=halves[1],
        energy_half_wh=halves[2],
        ended=tuple(course.ended for course in courses if course.ended),
        lost_ah_day=tuple(
            course.lost_ah / course.rows[-1][0] * DAY_S
            for course in courses
            if course.lost_ah is not None and course.rows
        ),
    )
