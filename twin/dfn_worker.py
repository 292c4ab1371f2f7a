"""The process behind the DFN lane: one PyBaMM cell, niced, that answers stretches of mean current."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final, NamedTuple

from drivers.processes import end_with_parent
from twin.thermal import warmed

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from twin.physics import Constants, ReferenceCell

_PAST_S: Final = 300.0  # of constant current, which explains the voltage that a restart must show
_PAST_A: Final = 15.0  # of the model's cell, 3 C
_TRIES: Final = 5
_ALIKE_V: Final = 1e-3
_BLINK_S: Final = 1e-3


class Cell(NamedTuple):
    """Which cell to play: start, 1 / capacity (1/Ah) of the series element, factor on all losses but diffusion."""

    soc: float
    temperature_k: float
    scale_ah: float
    resistance_factor: float


class Stretch(NamedTuple):
    """`current_a` of the series element for `dt_s`."""

    generation: int
    current_a: float
    ambient_k: float
    dt_s: float


class Restart(NamedTuple):
    """Continue from here, as another twin left it."""

    generation: int
    soc: float
    temperature_k: float
    voltage_v: float
    current_a: float


class Answer(NamedTuple):
    """The cell at the end of the newest stretch."""

    generation: int
    voltage_v: float
    soc: float
    temperature_k: float


class Player:
    """Plays one series element with a model cell: current scaled to it, temperature lumped beside it."""

    def __init__(self, start: Cell) -> None:
        from twin.physics import ReferenceCell, constants  # noqa: PLC0415  # seconds that only this process may spend

        self._constants: Constants = constants()
        self._start = start
        self._scale = start.scale_ah * self._constants.capacity_ah
        self._kelvin = start.temperature_k
        self._cell: ReferenceCell = ReferenceCell(start.soc)

    def follow(self, stretch: Stretch) -> Answer:
        """Step by the stretch; `ArithmeticError` where the model ends."""
        current_a = stretch.current_a * self._scale
        read = self._cell.step(current_a, self._kelvin, stretch.dt_s)
        voltage_v = self._shown(read.surface_ocv_v, read.voltage_v)
        heat_w = current_a * (read.bulk_ocv_v - voltage_v)
        ratio = stretch.dt_s * self._constants.cooling_w_k / self._constants.heat_capacity_j_k
        self._kelvin = warmed(self._kelvin, stretch.ambient_k + heat_w / self._constants.cooling_w_k, ratio)
        return Answer(stretch.generation, voltage_v, read.soc, self._kelvin)

    def restart(self, at: Restart) -> Answer:
        """Lay in five past minutes of a constant current that explain the voltage, found by secants."""
        self._kelvin = at.temperature_k
        past_a, other_a = at.current_a * self._scale, 0.0
        off_v, other_v = self._missed(at, past_a), self._missed(at, other_a) if past_a else 0.0
        for _ in range(_TRIES):
            if abs(off_v) < _ALIKE_V:
                break
            steep = (off_v - other_v) / (past_a - other_a) if past_a != other_a else -0.02
            other_a, other_v = past_a, off_v
            past_a = min(max(past_a - off_v / min(steep, -1e-3), -_PAST_A), _PAST_A)
            off_v = self._missed(at, past_a)
        return Answer(at.generation, at.voltage_v + off_v, at.soc, at.temperature_k)

    def _missed(self, at: Restart, past_a: float) -> float:
        """Play that past; how far its voltage lies above what is wanted (V)."""
        before = at.soc + past_a * _PAST_S / 3600.0 / self._constants.capacity_ah
        self._cell.rest(min(max(before, 0.0), 1.0))
        self._cell.step(past_a, self._kelvin, _PAST_S)
        read = self._cell.step(at.current_a * self._scale, self._kelvin, _BLINK_S)
        return self._shown(read.surface_ocv_v, read.voltage_v) - at.voltage_v

    def _shown(self, surface_ocv_v: float, voltage_v: float) -> float:
        return surface_ocv_v - self._start.resistance_factor * (surface_ocv_v - voltage_v)


def serve(link: Connection, start: Cell, niceness: int) -> None:
    """Process main: answer until the lane closes the connection. A model that ended is silent until a restart."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the lane ends this process
    end_with_parent()  # also while a cell is being built, which takes seconds
    if hasattr(os, "nice"):
        os.nice(niceness)
    player = Player(start)
    try:
        link.send(player.follow(Stretch(0, 0.0, start.temperature_k, _BLINK_S)))
        while True:
            message: Stretch | Restart = link.recv()
            try:
                answer = player.restart(message) if isinstance(message, Restart) else player.follow(message)
            except ArithmeticError:
                continue
            link.send(answer)
    except (EOFError, OSError):
        return
