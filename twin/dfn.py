"""PyBaMM's DFN of one cell as a lane: its own process follows in steps of mean current; the lane never waits for it."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.processes import BACKGROUND
from twin import dfn_worker
from twin.cell_physics import require_physics
from twin.dfn_worker import CurrentSegment, DfnCellStart, DfnEnd, DfnResult, Restart
from twin.hold import CurrentHold
from twin.ports import PackState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.snapshot import Floats
    from twin.ports import PackSpec, Twin

NICENESS = BACKGROUND  # of the worker
SETTINGS: Final = ("cell", "interval_s")  # that a bench file may give
_END_S: Final = 2.0


class DfnCell:
    """A twin of column `cell` (from 0). Voltage is NaN until the first result; `age_s` grows while the worker lags.

    It also grows after the worker or its equations ended; the cell is `outside` then. The worker gets the charge
    between two exchanges as one mean current, so no charge is lost.
    """

    def __init__(self, pack: PackSpec, cell: int, interval_s: float) -> None:
        self._cell, self._interval_s = cell, interval_s
        self._held = CurrentHold(pack.cells)
        self._pending_as = self._pending_s = self._lag_s = 0.0
        self._generation, self._waiting = 0, True
        self._outside = False  # the equations have no solution, or the worker ended
        soc0 = float(pack.soc0[cell])
        self._newest_result = DfnResult(0, float("nan"), soc0, pack.ambient_k)
        spawn = multiprocessing.get_context("spawn")
        self._link, theirs = spawn.Pipe()
        scale = 1.0 / (pack.parallel * pack.cell_ah * float(pack.capacity_factor[cell]))
        physics = require_physics(pack.cell, "twin.dfn")
        start = DfnCellStart(soc0, pack.ambient_k, scale, float(pack.resistance_factor[cell]), physics)
        self._worker = spawn.Process(
            target=dfn_worker.serve, args=(theirs, start, NICENESS), name=f"dfn-{cell + 1}", daemon=True
        )
        self._worker.start()
        theirs.close()  # otherwise this end would not see that the worker ended

    @property
    def columns(self) -> tuple[int, ...]:
        return (self._cell,)

    def step(self, current_a: Floats, ambient_k: float, dt_s: float) -> PackState:
        """Send the charge that flowed, receive new results; takes microseconds."""
        held_a = float(self._held(current_a)[self._cell])
        self._pending_as += held_a * dt_s
        self._pending_s += dt_s
        self._lag_s += dt_s
        if self._waiting:
            self._receive_results()
        if not self._waiting and not self._outside and self._pending_s >= self._interval_s:
            mean_a = self._pending_as / self._pending_s
            self._send(CurrentSegment(self._generation, mean_a, ambient_k, self._pending_s))
            self._pending_as = self._pending_s = 0.0
        newest = self._newest_result
        return PackState(
            _as_array(newest.soc),
            _as_array(newest.temperature_k),
            _as_array(newest.voltage_v),
            _as_array(held_a),
            (self._cell,) if self._outside else (),
        )

    def take_over(self, state: PackState) -> None:
        """Return `state` until the worker has a cell that continues from it (seconds), then catch up."""
        soc, kelvin, voltage, current = (
            float(values[self._cell if len(values) > 1 else 0])
            for values in (state.soc, state.temperature_k, state.voltage_v, np.nan_to_num(state.current_a))
        )
        self._generation += 1
        self._outside = False
        self._pending_as = self._pending_s = self._lag_s = 0.0
        self._newest_result = DfnResult(self._generation, voltage, soc, kelvin)
        self._send(Restart(self._generation, soc, kelvin, voltage, current))

    def age_s(self) -> float:
        """Return the time stepped since the instant of the newest result."""
        return self._lag_s

    def close(self) -> None:
        """End the worker, even if it hangs."""
        self._link.close()
        for end in (self._worker.terminate, self._worker.kill):
            end()
            self._worker.join(_END_S)
            if self._worker.exitcode is not None:
                break
        self._worker.close()

    def _receive_results(self) -> None:
        try:
            while self._link.poll():
                answer: DfnResult | DfnEnd = self._link.recv()
                if answer.generation != self._generation:
                    continue
                self._waiting = False
                if isinstance(answer, DfnEnd):
                    self._outside = True
                else:
                    self._newest_result = answer
                    self._lag_s = self._pending_s  # the result covers all that was sent
        except (OSError, EOFError):
            self._waiting = self._outside = True  # for ever: the worker ended

    def _send(self, message: CurrentSegment | Restart) -> None:
        self._waiting = True
        try:
            self._link.send(message)
        except OSError:
            self._outside = True  # the worker ended


def _as_array(value: float) -> Floats:
    return np.array([value])


def build(pack: PackSpec, settings: Mapping[str, Any]) -> Twin:
    """Build the lane; settings `cell` (from 1, default 1), `interval_s` (0.1). Start the worker and return at once."""
    unknown = set(settings) - set(SETTINGS)
    cell = int(settings.get("cell", 1))
    if unknown:
        raise ValueError(f"twin.dfn has no setting {', '.join(sorted(unknown))}; its settings are cell and interval_s")
    if not 1 <= cell <= pack.cells:
        raise ValueError(f"twin.dfn: cell {cell} is not one of 1 to {pack.cells}")
    return DfnCell(pack, cell - 1, float(settings.get("interval_s", 0.1)))
