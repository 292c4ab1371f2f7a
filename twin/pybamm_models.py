"""The only module that imports PyBaMM: its discretised SPMe as CasADi functions, and a DFN cell.

Importing this module costs seconds: only exports, workers, fits and tests do.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from twin import casadi_functions, cell_parameters

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.casadi_functions import Function

os.environ.setdefault("PYBAMM_DISABLE_TELEMETRY", "true")  # otherwise the first import asks on the terminal
import pybamm  # reads the line above

_PYBAMM: Any = pybamm  # carries no types
_PYBAMM.set_logging_level("ERROR")  # it warns of inputs without a value, which every export has
_CURRENT: Final = "Current function [A]"
_AMBIENT: Final = "Ambient temperature [K]"
_VOLTAGES: Final = ("Voltage [V]", "Surface open-circuit voltage [V]", "Bulk open-circuit voltage [V]")
_LITHIUM: Final = "Negative electrode stoichiometry"
_ANODE: Final = "Negative electrode surface potential difference at separator interface [V]"
_ELECTRODES: Final = ("negative electrode [mol.m-3]", "positive electrode [mol.m-3]")
_THROUGHPUTS: Final = 2  # leading states of a PyBaMM model that only count charge
_CUT_OFFS: Final = ("Minimum voltage", "Maximum voltage")
REFERENCE_K: Final = 298.15


class CellConstants(NamedTuple):
    """One cell: capacity between its cut-offs (Ah), heat capacity (J/K), heat transfer to the surroundings (W/K)."""

    capacity_ah: float
    heat_capacity_j_k: float
    cooling_w_k: float


@dataclass(frozen=True)
class SpmeEquations:
    """PyBaMM's SPMe after discretisation, for one cell in A and K: `rates(x, i, t)`, `outputs(x, i, t)`.

    Outputs: `v`, `u_surface`, `u_bulk` (V), `soc`. The rested state at a state of charge s is
    `empty + s (full - empty)`.
    """

    rates: Function
    outputs: Function
    empty: Floats
    full: Floats
    cell: CellConstants


class CellReading(NamedTuple):
    """Terminal voltage, open-circuit voltages at the particles' surfaces and of their mean content (V), and SoC.

    `anode_v`: potential of the anode against the electrolyte at the separator (V); below zero lithium plates.
    """

    voltage_v: float
    surface_ocv_v: float
    bulk_ocv_v: float
    soc: float
    anode_v: float


class ReferenceCell:
    """One cell of PyBaMM's `model` ("DFN" or "SPMe") under IDAKLU, stepped without keeping its history."""

    def __init__(self, soc: float, model: str = "DFN") -> None:
        parameters = _parameters()
        self._empty_and_full = _lithium_ranges(parameters)
        self.capacity_ah = read_cell_constants().capacity_ah
        self._most = [float(parameters[f"Maximum concentration in {electrode}"]) for electrode in _ELECTRODES]
        parameters.update({f"Initial concentration in {electrode}": "[input]" for electrode in _ELECTRODES})
        physics = getattr(_PYBAMM.lithium_ion, model)()
        physics.events = [event for event in physics.events if not event.name.startswith(_CUT_OFFS)]
        solver = _PYBAMM.IDAKLUSolver(rtol=1e-6, atol=1e-6, output_variables=[*_VOLTAGES, _LITHIUM, _ANODE])
        self._cell = _PYBAMM.Simulation(physics, parameter_values=parameters, solver=solver)
        self.rest(soc)

    def rest(self, soc: float) -> None:
        """Restart from rest at `soc`; this is cheap compared with building a cell."""
        contents = [
            most * (empty + soc * (full - empty))
            for most, (empty, full) in zip(self._most, self._empty_and_full, strict=True)
        ]
        names = (f"Initial concentration in {electrode}" for electrode in _ELECTRODES)
        self._contents = dict(zip(names, contents, strict=True))
        self._solution: Any = _PYBAMM.EmptySolution()
        self._t_s = 0.0

    def step(self, current_a: float, kelvin: float, dt_s: float) -> CellReading:
        """Step by `dt_s` and return the reading; raise `ArithmeticError` if the model ends before."""
        inputs = {_CURRENT: current_a, _AMBIENT: kelvin, **self._contents}
        try:
            self._solution = self._cell.step(dt_s, save=False, inputs=inputs, starting_solution=self._solution)
        except _PYBAMM.SolverError as error:
            raise ArithmeticError(f"PyBaMM cannot step {current_a:.3f} A for {dt_s:.3f} s: {error}") from error
        reached_s = float(self._solution.t[-1])
        short_s = self._t_s + dt_s - reached_s
        if not abs(short_s) < 1e-6 * max(1.0, reached_s):  # a model that ended returns its old solution
            raise ArithmeticError(f"PyBaMM stopped at {reached_s:.3f} s of {self._t_s + dt_s:.3f} s")
        self._t_s = reached_s
        empty, full = self._empty_and_full[0]
        voltage_v, surface_v, bulk_v = (self._last(name) for name in _VOLTAGES)
        soc = (self._last(_LITHIUM) - empty) / (full - empty)
        return CellReading(voltage_v, surface_v, bulk_v, soc, self._last(_ANODE))

    def _last(self, name: str) -> float:
        return float(self._solution[name].entries[-1])


def build_spme_equations() -> SpmeEquations:
    """Build the SPMe with PyBaMM and return its equations."""
    parameters = _parameters()
    (low, high), _ = _lithium_ranges(parameters)
    model = _discretise(parameters, 1.0)
    parts = model.export_casadi_objects([*_VOLTAGES, _LITHIUM], [_CURRENT, _AMBIENT])
    x = casadi_functions.symbol("x", parts["x"].shape[0] - _THROUGHPUTS)
    i, kelvin = casadi_functions.symbol("i"), casadi_functions.symbol("t")
    expressions = casadi_functions.inline(
        [parts["t"], parts["x"], parts["inputs"]],
        [parts["rhs"], *(parts["variables"][name] for name in (*_VOLTAGES, _LITHIUM))],
        [0.0, casadi_functions.vertcat(np.zeros(_THROUGHPUTS), x), casadi_functions.vertcat(i, kelvin)],
    )
    rates, v, u_surface, u_bulk, lithium = expressions[0][_THROUGHPUTS:], *expressions[1:]
    inputs = {"x": x, "i": i, "t": kelvin}
    outputs = {"v": v, "u_surface": u_surface, "u_bulk": u_bulk, "soc": (lithium - low) / (high - low)}
    return SpmeEquations(
        rates=casadi_functions.function("rates", inputs, {"dx": casadi_functions.dense(rates)}),
        outputs=casadi_functions.function("outputs", inputs, outputs),
        empty=_find_rest_state(_discretise(parameters, 0.0)),
        full=_find_rest_state(model),
        cell=read_cell_constants(),
    )


def read_cell_constants() -> CellConstants:
    """Return the constants that all models of this cell share; heat as in PyBaMM's lumped model."""
    parameters = _parameters()
    physics = _PYBAMM.lithium_ion.SPMe({"thermal": "lumped"}).param
    (low, high), _ = _lithium_ranges(parameters)
    lithium_ah = float(parameters.evaluate(physics.n.Q_init))  # of the whole negative electrode, stoichiometry 0 to 1
    heat_j_m3_k = float(parameters.evaluate(physics.rho_c_p_eff(REFERENCE_K)))
    cooling_w_m2_k = parameters["Total heat transfer coefficient [W.m-2.K-1]"]
    return CellConstants(
        lithium_ah * (high - low),
        heat_j_m3_k * parameters["Cell volume [m3]"],
        cooling_w_m2_k * parameters["Cell cooling surface area [m2]"],
    )


def _parameters() -> Any:
    parameters = _PYBAMM.ParameterValues(cell_parameters.read_name())
    parameters.update({_CURRENT: "[input]", _AMBIENT: "[input]"})
    return parameters


def _lithium_ranges(parameters: Any) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the stoichiometries of the empty and the full cell, negative electrode first."""
    low, high, p_full, p_empty = _PYBAMM.lithium_ion.get_min_max_stoichiometries(parameters)
    return (float(low), float(high)), (float(p_empty), float(p_full))


def _discretise(parameters: Any, soc: float) -> Any:
    simulation = _PYBAMM.Simulation(_PYBAMM.lithium_ion.SPMe(), parameter_values=parameters)
    simulation.build(initial_soc=soc, inputs={_CURRENT: 0.0, _AMBIENT: REFERENCE_K})
    return simulation.built_model


def _find_rest_state(model: Any) -> Floats:
    at_rest = {_CURRENT: 0.0, _AMBIENT: REFERENCE_K}
    return np.ravel(model.concatenated_initial_conditions.evaluate(inputs=at_rest))[_THROUGHPUTS:].astype(np.float64)
