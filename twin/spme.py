"""The pack as single-particle cells with electrolyte, on functions exported from PyBaMM's own discretisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from twin import spme_model
from twin.batch_function import BatchFunction
from twin.cell_physics import require_lithium
from twin.hold import CurrentHold
from twin.ports import PackState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.snapshot import Floats
    from twin.ports import PackSpec, Twin
    from twin.spme_model import SpmeModel

SETTINGS: Final = ()  # that a bench file may give
_MAX_POLARISATION_A: Final = (
    15.0  # of one model cell: the largest past current, 3 C either way, that a lane switch may assume
)
_STATE_RANGE: Final = (0.01, 0.99)  # valid range of a concentration over its maximum
_BISECTIONS: Final = 18
_VALID_V: Final = (0.0, 6.0)
_TOLERANCE_V: Final = 0.5e-3


class SpmePack:
    """A pack in which each series element is one model cell, its current scaled to the model's capacity.

    Thus a cell's charge is exact: SoC falls by i dt / (3600 capacity). `resistance_factor` multiplies every loss but
    solid diffusion. Temperature acts through the exchange currents. A cell outside the valid range of the equations
    (a concentration below zero, a voltage far outside 2.5 to 4.2 V) is `outside`: it keeps its last state and voltage
    until the current leads it back.
    """

    def __init__(self, pack: PackSpec, model: SpmeModel) -> None:
        cells = pack.cells
        self._model = model
        self._step, self._terminal = BatchFunction(model.step, cells), BatchFunction(model.terminal, cells)
        self._held = CurrentHold(cells)
        self._scale = model.capacity_ah / (pack.parallel * pack.cell_ah * pack.capacity_factor)
        self._x = self._step.inputs[0]
        self._t, self._i, self._dt, self._ambient, resistance = (rows[0] for rows in self._step.inputs[1:])
        self._terminal_x = self._terminal.inputs[0]
        self._terminal_t, self._terminal_i, seen_resistance = (rows[0] for rows in self._terminal.inputs[1:])
        resistance[:] = seen_resistance[:] = pack.resistance_factor
        self._x[:] = model.find_rest_state(pack.soc0)
        self._t[:] = pack.ambient_k
        self._v, self._soc = self._read_terminal(np.zeros(cells))

    @property
    def columns(self) -> tuple[int, ...]:
        return tuple(range(len(self._scale)))

    def step(self, current_a: Floats, ambient_k: float, dt_s: float) -> PackState:
        """Step all cells, linear-implicit; `dt_s` up to 1 s (error 0.001 mV at 10 ms, 0.1 mV at 1 s)."""
        held_a = self._held(current_a)
        self._i[:] = held_a * self._scale
        self._dt[:] = dt_s
        self._ambient[:] = ambient_k
        x, t, v, soc = self._step()
        good = (x.min(axis=0) > 0.0) & (v[0] > _VALID_V[0]) & (v[0] < _VALID_V[1]) & np.isfinite(t[0])
        np.copyto(self._x, x, where=good)
        np.copyto(self._t, t[0], where=good)
        np.copyto(self._v, v[0], where=good)
        np.copyto(self._soc, soc[0], where=good)
        outside = () if good.all() else tuple(int(cell) for cell in np.flatnonzero(~good))
        return PackState(self._soc.copy(), self._t.copy(), self._v.copy(), held_a.copy(), outside)

    def take_over(self, state: PackState) -> None:
        """Keep SoC and temperature; add relaxing polarisation until the voltage fits; change SoC only if that fails."""
        model, current = self._model, np.nan_to_num(state.current_a) * self._scale
        self._t[:] = state.temperature_k
        soc = np.clip(state.soc, 0.001, 0.999)
        rested, shape = model.find_rest_state(soc), model.polarised[:, None]

        def add_polarisation(past_a: Floats) -> Floats:
            return rested + shape * past_a

        bounds = (_find_current_margin(rested, shape), -_find_current_margin(rested, -shape))
        past_a = self._bisect(add_polarisation, current, state.voltage_v, bounds)
        self._x[:] = add_polarisation(past_a)
        self._v, self._soc = self._read_terminal(current)
        off = ~(np.abs(self._v - state.voltage_v) < _TOLERANCE_V)
        if off.any():
            flat = np.where(off, 0.0, past_a)

            def add_charge(level: Floats) -> Floats:
                return model.find_rest_state(level) + shape * flat

            level = self._bisect(add_charge, current, state.voltage_v, (np.zeros(len(soc)), np.ones(len(soc))))
            self._x[:] = add_charge(np.where(off, level, soc))
            self._v, self._soc = self._read_terminal(current)

    def age_s(self) -> float:
        return 0.0

    def close(self) -> None:
        """Do nothing: the lane holds only memory."""

    def _bisect(
        self, states: Callable[[Floats], Floats], current: Floats, voltage_v: Floats, between: tuple[Floats, Floats]
    ) -> Floats:
        """Bisect each cell's argument of `states`, given as (low voltage, high voltage), until it has `voltage_v`."""
        low, high = between
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            self._x[:] = states(middle)
            v, _ = self._read_terminal(current)
            up = v < voltage_v
            low, high = np.where(up, middle, low), np.where(up, high, middle)
        return 0.5 * (low + high)

    def _read_terminal(self, current: Floats) -> tuple[Floats, Floats]:
        self._terminal_x[:], self._terminal_t[:], self._terminal_i[:] = self._x, self._t, current
        v, soc = self._terminal()
        return v.ravel().copy(), soc.ravel().copy()


def _find_current_margin(rested: Floats, shape: Floats) -> Floats:
    """Return how many amperes of `shape` each cell's states allow, less a tenth for the surface beyond the last."""
    limit = np.where(shape > 0.0, _STATE_RANGE[1], _STATE_RANGE[0])
    bearable_a = np.maximum((limit - rested) / shape, 0.0)
    return np.minimum(0.9 * bearable_a.min(axis=0), _MAX_POLARISATION_A)


def build(pack: PackSpec, settings: Mapping[str, Any]) -> Twin:
    """Build the lane; no settings. Load the exported model; export it first (seconds) where `precompile` did not."""
    if settings:
        raise ValueError(f"twin.spme has no settings, got {', '.join(settings)}")
    return SpmePack(pack, spme_model.load(require_lithium(pack.cell, "twin.spme")))
