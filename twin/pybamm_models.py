"""The only module that imports PyBaMM: its discretised SPMe as CasADi functions, and a DFN cell.

Importing this module costs seconds: only exports, workers, fits and tests do.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from drivers.benchfile.bpx_file import parse_bpx
from twin import bpx_parameters, casadi_functions
from twin.bpx_parameters import FARADAY_C_MOL

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.casadi_functions import Function
    from twin.cell_physics import CellPhysics

os.environ.setdefault("PYBAMM_DISABLE_TELEMETRY", "true")  # otherwise the first import asks on the terminal
import pybamm  # reads the line above

_PYBAMM: Any = pybamm  # carries no types
_PYBAMM.set_logging_level("ERROR")  # it warns of inputs without a value, which every export has
_CURRENT: Final = "Current function [A]"
_AMBIENT: Final = "Ambient temperature [K]"
_WIDTH: Final = "Electrode width [m]"
_VOLTAGES: Final = ("Voltage [V]", "Surface open-circuit voltage [V]", "Bulk open-circuit voltage [V]")
_LITHIUM: Final = "Negative electrode stoichiometry"
_ANODE: Final = "Negative electrode surface potential difference at separator interface [V]"
_LOST: Final = "Total lithium lost [mol]"
_AGEING: Final = {"SEI": "solvent-diffusion limited", "lithium plating": "partially reversible"}  # O'Kane et al. 2022
_ELECTRODES: Final = ("negative electrode [mol.m-3]", "positive electrode [mol.m-3]")
_THROUGHPUTS: Final = 2  # leading states of a PyBaMM model that only count charge
_CUT_OFFS: Final = ("Minimum voltage", "Maximum voltage")
REFERENCE_K: Final = 298.15
BASIC: Final = "BasicDFN"  # the only form of a sodium-ion cell


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
    """One cell of PyBaMM's `model` ("DFN" or "SPMe"; sodium: BasicDFN) under IDAKLU, stepped without its history.

    `ageing`: with growth of the SEI and plating, for a set that has parameters of them.
    """

    def __init__(self, soc: float, physics: CellPhysics, model: str = "DFN", *, ageing: bool = False) -> None:
        parameters = _parameters(physics)
        self._empty_and_full = find_lithium_ranges(physics)
        self.capacity_ah = read_cell_constants(physics).capacity_ah
        self._most = [float(parameters[f"Maximum concentration in {electrode}"]) for electrode in _ELECTRODES]
        parameters.update({f"Initial concentration in {electrode}": "[input]" for electrode in _ELECTRODES})
        self.model = physics.model if physics.model == BASIC else model
        lithium: Any = getattr(_PYBAMM.lithium_ion, model)
        equations = _make_sodium_dfn() if physics.model == BASIC else lithium(_AGEING if ageing else None)
        equations.events = [event for event in equations.events if not event.name.startswith(_CUT_OFFS)]
        solver = _PYBAMM.IDAKLUSolver(
            rtol=1e-6, atol=1e-6, output_variables=[*_VOLTAGES, _LITHIUM, _ANODE, *([_LOST] if ageing else [])]
        )
        self._cell = _PYBAMM.Simulation(equations, parameter_values=parameters, solver=solver)
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

    def mark(self) -> tuple[Any, float]:
        """Return the present state, for `go_back`."""
        return self._solution, self._t_s

    def go_back(self, mark: tuple[Any, float]) -> None:
        """Continue from a state since the last rest."""
        self._solution, self._t_s = mark

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

    @property
    def lost_ah(self) -> float:
        """The lithium bound since the start, of a cell that ages (Ah); after a step."""
        return self._last(_LOST) * FARADAY_C_MOL / 3600.0

    def _last(self, name: str) -> float:
        return float(self._solution[name].entries[-1])


def build_spme_equations(physics: CellPhysics) -> SpmeEquations:
    """Build the SPMe with PyBaMM and return its equations."""
    parameters = _parameters(physics)
    (low, high), _ = find_lithium_ranges(physics)
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
        cell=read_cell_constants(physics),
    )


def read_cell_constants(physics: CellPhysics) -> CellConstants:
    """Return the constants that all models of this cell share."""
    parameters = read_set(physics)
    (low, high), _ = find_lithium_ranges(physics)
    electrodes = _PYBAMM.LithiumIonParameters()
    lithium_ah = float(parameters.evaluate(electrodes.n.Q_init))  # of the whole negative electrode, 0 to 1
    return CellConstants(lithium_ah * (high - low), physics.heat_capacity_j_k, physics.cooling_w_k)


def _make_sodium_dfn() -> Any:
    """Return PyBaMM's BasicDFN of a sodium-ion cell with the outputs that the lithium models have."""
    model = _PYBAMM.sodium_ion.BasicDFN()
    found, param = model.variables, model.param
    sides = (("Negative", param.n.prim), ("Positive", param.p.prim))
    shares = {
        (side, where): _PYBAMM.x_average(found[f"{side} particle {where}concentration [mol.m-3]"]) / prim.c_max
        for side, prim in sides
        for where in ("surface ", "")
    }
    means = {side: _PYBAMM.r_average(shares[side, ""]) for side, _ in sides}
    (_, negative), (_, positive) = sides
    surface_v = positive.U(shares["Positive", "surface "], param.T_init) - negative.U(
        shares["Negative", "surface "], param.T_init
    )
    bulk_v = positive.U(means["Positive"], param.T_init) - negative.U(means["Negative"], param.T_init)
    potential = found["Negative electrode potential [V]"] - found["Negative electrolyte potential [V]"]
    found.update(dict(zip(_VOLTAGES[1:], (surface_v, bulk_v), strict=True)))
    found.update({_LITHIUM: means["Negative"], _ANODE: _PYBAMM.boundary_value(potential, "right")})
    return model


def find_heat(physics: CellPhysics) -> tuple[float, float] | None:
    """Return heat capacity (J/K) and cooling (W/K) of PyBaMM's lumped model; None where the set lacks them.

    A larger cell has more layers of electrode between the same outer surfaces: its cooling stays.
    """
    parameters = read_set(physics)
    lumped = _PYBAMM.lithium_ion.SPMe({"thermal": "lumped"}).param
    try:
        heat_j_m3_k = float(parameters.evaluate(lumped.rho_c_p_eff(REFERENCE_K)))
        volume_m3, surface_m2 = (parameters[name] for name in ("Cell volume [m3]", "Cell cooling surface area [m2]"))
        cooling_w_m2_k = parameters["Total heat transfer coefficient [W.m-2.K-1]"]
    except KeyError:
        return None
    return heat_j_m3_k * volume_m3 * physics.area_scale, cooling_w_m2_k * surface_m2


def _parameters(physics: CellPhysics) -> Any:
    """Return the parameters with current and temperature of the surroundings as inputs."""
    parameters = read_set(physics)
    parameters.update({_CURRENT: "[input]", _AMBIENT: "[input]"})
    return parameters


def make_symbol(name: str) -> Any:
    """Return a variable for functions of a parameter set."""
    return _PYBAMM.InputParameter(name)


def make_scalar(value: float) -> Any:
    """Return a number for functions of a parameter set."""
    return _PYBAMM.Scalar(value)


def read_set(physics: CellPhysics) -> Any:
    """Return PyBaMM's parameters of the scaled cell."""
    if physics.bpx:
        parameters = _PYBAMM.ParameterValues(
            bpx_parameters.make_parameters(parse_bpx(Path("BPX"), physics.bpx), _interpolate)
        )
    else:
        parameters = _PYBAMM.ParameterValues(physics.parameter_set)
    width_m = physics.area_scale * float(parameters[_WIDTH])
    parameters.update({_WIDTH: width_m})
    return parameters


def _interpolate(x: list[float], y: list[float], at: Any) -> Any:
    return _PYBAMM.Interpolant(np.array(x), np.array(y), at)


def find_lithium_ranges(physics: CellPhysics) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the stoichiometries of the empty and the full cell, negative electrode first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", _PYBAMM.SolverWarning)  # its search goes beyond the ends of a table
        low, high, p_full, p_empty = _PYBAMM.lithium_ion.get_min_max_stoichiometries(read_set(physics))
    return (float(low), float(high)), (float(p_empty), float(p_full))


def _discretise(parameters: Any, soc: float) -> Any:
    simulation = _PYBAMM.Simulation(_PYBAMM.lithium_ion.SPMe(), parameter_values=parameters)
    simulation.build(initial_soc=soc, inputs={_CURRENT: 0.0, _AMBIENT: REFERENCE_K})
    return simulation.built_model


def _find_rest_state(model: Any) -> Floats:
    at_rest = {_CURRENT: 0.0, _AMBIENT: REFERENCE_K}
    return np.ravel(model.concatenated_initial_conditions.evaluate(inputs=at_rest))[_THROUGHPUTS:].astype(np.float64)
