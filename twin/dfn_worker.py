"""The worker process of the DFN lane: one PyBaMM cell at low priority that steps by segments of mean current."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final, NamedTuple

from drivers.processes import end_with_parent, give_way
from twin.thermal import step_temperature

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from twin.cell_physics import CellPhysics
    from twin.pybamm_models import CellConstants, ReferenceCell

_PAST_S: Final = 300.0  # of constant current, chosen so that a restart has the required voltage
_PAST_A: Final = 15.0  # of the model's cell, 3 C
_MAX_ITERATIONS: Final = 5
_TOLERANCE_V: Final = 1e-3
_SHORT_S: Final = 1e-3


class DfnCellStart(NamedTuple):
    """The cell to simulate: start, 1 / capacity (1/Ah) of the series element, factor on all losses but diffusion."""

    soc: float
    temperature_k: float
    scale_ah: float
    resistance_factor: float
    physics: CellPhysics


class CurrentSegment(NamedTuple):
    """`current_a` of the series element for `dt_s`."""

    generation: int
    current_a: float
    ambient_k: float
    dt_s: float


class Restart(NamedTuple):
    """The request to continue from the state of another twin."""

    generation: int
    soc: float
    temperature_k: float
    voltage_v: float
    current_a: float


class DfnResult(NamedTuple):
    """The cell at the end of the newest segment."""

    generation: int
    voltage_v: float
    soc: float
    temperature_k: float


class DfnEnd(NamedTuple):
    """The equations have no solution for the newest segment; the next result needs a restart."""

    generation: int


class DfnSimulator:
    """A simulator of one series element with a model cell: scaled current, separate lumped temperature."""

    def __init__(self, start: DfnCellStart) -> None:
        from twin.pybamm_models import ReferenceCell, read_cell_constants  # noqa: PLC0415  # takes seconds, which only this process may spend

        self._constants: CellConstants = read_cell_constants(start.physics)
        self._start = start
        self._scale = start.scale_ah * self._constants.capacity_ah
        self._kelvin = start.temperature_k
        self._cell: ReferenceCell = ReferenceCell(start.soc, start.physics)

    def advance(self, segment: CurrentSegment) -> DfnResult:
        """Step by the segment; raise `ArithmeticError` where the model ends."""
        current_a = segment.current_a * self._scale
        read = self._cell.step(current_a, self._kelvin, segment.dt_s)
        voltage_v = self._scale_losses(read.surface_ocv_v, read.voltage_v)
        heat_w = current_a * (read.bulk_ocv_v - voltage_v)
        ratio = segment.dt_s * self._constants.cooling_w_k / self._constants.heat_capacity_j_k
        self._kelvin = step_temperature(self._kelvin, segment.ambient_k + heat_w / self._constants.cooling_w_k, ratio)
        return DfnResult(segment.generation, voltage_v, read.soc, self._kelvin)

    def restart(self, at: Restart) -> DfnResult:
        """Start with five past minutes of the constant current that gives the voltage; find it by the secant method."""
        self._kelvin = at.temperature_k
        past_a, other_a = at.current_a * self._scale, 0.0
        off_v, other_v = self._find_voltage_error(at, past_a), self._find_voltage_error(at, other_a) if past_a else 0.0
        for _ in range(_MAX_ITERATIONS):
            if abs(off_v) < _TOLERANCE_V:
                break
            steep = (off_v - other_v) / (past_a - other_a) if past_a != other_a else -0.02
            other_a, other_v = past_a, off_v
            past_a = min(max(past_a - off_v / min(steep, -1e-3), -_PAST_A), _PAST_A)
            off_v = self._find_voltage_error(at, past_a)
        return DfnResult(at.generation, at.voltage_v + off_v, at.soc, at.temperature_k)

    def _find_voltage_error(self, at: Restart, past_a: float) -> float:
        """Simulate that past; return how far its voltage lies above the required one (V)."""
        before = at.soc + past_a * _PAST_S / 3600.0 / self._constants.capacity_ah
        self._cell.rest(min(max(before, 0.0), 1.0))
        self._cell.step(past_a, self._kelvin, _PAST_S)
        read = self._cell.step(at.current_a * self._scale, self._kelvin, _SHORT_S)
        return self._scale_losses(read.surface_ocv_v, read.voltage_v) - at.voltage_v

    def _scale_losses(self, surface_ocv_v: float, voltage_v: float) -> float:
        return surface_ocv_v - self._start.resistance_factor * (surface_ocv_v - voltage_v)


def serve(link: Connection, start: DfnCellStart, niceness: int) -> None:
    """Process main: send results until the lane closes the connection; none from a model that ended until a restart."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the lane ends this process
    end_with_parent()  # also while a cell is being built, which takes seconds
    give_way(niceness)
    simulator = DfnSimulator(start)
    try:
        link.send(simulator.advance(CurrentSegment(0, 0.0, start.temperature_k, _SHORT_S)))
        while True:
            message: CurrentSegment | Restart = link.recv()
            try:
                result = simulator.restart(message) if isinstance(message, Restart) else simulator.advance(message)
            except ArithmeticError:
                result = DfnEnd(message.generation)
            link.send(result)
    except (EOFError, OSError):
        return
