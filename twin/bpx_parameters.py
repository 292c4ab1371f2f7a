"""A BPX file as the parameters that PyBaMM's lithium-ion models read.

Equations: the BPX standard (https://bpxstandard.com). The exchange current of an electrode is
`F K sqrt(c/c0 x (1 - x))` with K in mol/(m2 s), c0 the electrolyte's concentration at rest and x the stoichiometry.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.benchfile.bpx_expression import evaluate_expression, parse_expression
from drivers.benchfile.bpx_file import BpxTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.benchfile.bpx_file import BpxElectrode, BpxFile, BpxSeparator, Function

    Interpolate = Callable[[list[float], list[float], Any], Any]

FARADAY_C_MOL: Final = 96485.33212
GAS_J_MOL_K: Final = 8.314462618
_MATHS: Final = {"exp": np.exp, "tanh": np.tanh, "cosh": np.cosh}  # also of PyBaMM's symbols


def make_parameters(file: BpxFile, interpolate: Interpolate) -> dict[str, Any]:
    """Return PyBaMM's parameters of the cell; `interpolate(x, y, symbol)` is linear. The cell is at rest, full."""
    cell, electrolyte = file.parameters.cell, file.parameters.electrolyte
    rest_mol_m3 = file.electrolyte_mol_m3
    warm = partial(_follow_temperature, cell.reference_k)
    side_m = math.sqrt(cell.area_m2)
    values: dict[str, Any] = {
        "Nominal cell capacity [A.h]": cell.nominal_ah,
        "Current function [A]": cell.nominal_ah,
        "Contact resistance [Ohm]": 0.0,
        "Electrode height [m]": side_m,
        "Electrode width [m]": side_m,
        "Number of electrodes connected in parallel to make a cell": float(cell.pairs),
        "Number of cells connected in series to make a battery": 1.0,
        "Lower voltage cut-off [V]": cell.low_v,
        "Upper voltage cut-off [V]": cell.high_v,
        "Open-circuit voltage at 0% SOC [V]": cell.low_v,
        "Open-circuit voltage at 100% SOC [V]": cell.high_v,
        "Reference temperature [K]": cell.reference_k,
        "Initial temperature [K]": cell.reference_k,
        "Ambient temperature [K]": cell.reference_k,
        "Initial concentration in electrolyte [mol.m-3]": rest_mol_m3,
        "Cation transference number": electrolyte.transference,
        "Thermodynamic factor": 1.0,
        "Electrolyte diffusivity [m2.s-1]": warm(
            electrolyte.diffusivity_j_mol, _make_function(electrolyte.diffusivity, interpolate)
        ),
        "Electrolyte conductivity [S.m-1]": warm(
            electrolyte.conductivity_j_mol, _make_function(electrolyte.conductivity, interpolate)
        ),
        **_describe_pores("Separator", file.parameters.separator),
    }
    for side, electrode in (("Negative", file.parameters.negative), ("Positive", file.parameters.positive)):
        values |= _describe_electrode(side, electrode, rest_mol_m3, warm, interpolate)
    values["Initial concentration in negative electrode [mol.m-3]"] = _fill(file.parameters.negative, most=True)
    values["Initial concentration in positive electrode [mol.m-3]"] = _fill(file.parameters.positive, most=False)
    return values


def _describe_pores(domain: str, part: BpxSeparator) -> dict[str, Any]:
    return {
        f"{domain} thickness [m]": part.thickness_m,
        f"{domain} porosity": part.porosity,
        f"{domain} Bruggeman coefficient (electrolyte)": _find_bruggeman(part),
    }


def _find_bruggeman(part: BpxSeparator) -> float:
    """Return the exponent by which the porosity gives the transport efficiency."""
    return math.log(part.transport) / math.log(part.porosity) if part.porosity < 1.0 else 0.0


def _describe_electrode(
    side: str,
    electrode: BpxElectrode,
    rest_mol_m3: float,
    warm: Callable[[float, Callable[[Any], Any]], Callable[[Any, Any], Any]],
    interpolate: Interpolate,
) -> dict[str, Any]:
    most = electrode.concentration_mol_m3
    rate = electrode.rate_mol_m2_s * FARADAY_C_MOL / (most * math.sqrt(rest_mol_m3))

    def exchange_a_m2(c_e: Any, c_s: Any, c_max: Any, kelvin: Any) -> Any:
        return warm(electrode.rate_j_mol, lambda at: rate * at**0.5)(c_e * c_s * (c_max - c_s), kelvin)

    return {
        **_describe_pores(f"{side} electrode", electrode),
        f"{side} electrode conductivity [S.m-1]": electrode.conductivity_s_m,
        f"{side} electrode Bruggeman coefficient (electrode)": 0.0,  # the conductivity is that of the porous electrode
        f"{side} electrode active material volume fraction": electrode.surface_m * electrode.radius_m / 3.0,
        f"{side} particle radius [m]": electrode.radius_m,
        f"Maximum concentration in {side.lower()} electrode [mol.m-3]": most,
        f"{side} particle diffusivity [m2.s-1]": warm(
            electrode.diffusivity_j_mol, _make_function(electrode.diffusivity, interpolate)
        ),
        f"{side} electrode exchange-current density [A.m-2]": exchange_a_m2,
        f"{side} electrode OCP [V]": _make_function(electrode.ocp, interpolate),
        f"{side} electrode OCP entropic change [V.K-1]": _make_function(electrode.entropic, interpolate),
    }


def _fill(electrode: BpxElectrode, *, most: bool) -> float:
    return electrode.concentration_mol_m3 * (electrode.most if most else electrode.least)


def _make_function(value: Function, interpolate: Interpolate) -> Callable[[Any], Any]:
    """Return a function of one argument: constant, formula or table."""
    if isinstance(value, str):
        tree = parse_expression(value)
        return lambda x: evaluate_expression(tree, x, _MATHS)
    if isinstance(value, BpxTable):
        points = sorted(zip(value.x, value.y, strict=True))
        xs, ys = ([point[part] for point in points] for part in (0, 1))
        return lambda x: interpolate(xs, ys, x)
    return lambda _: value


def _follow_temperature(
    reference_k: float, energy_j_mol: float, at_reference: Callable[[Any], Any]
) -> Callable[[Any, Any], Any]:
    """Return the function over argument and temperature, by the law of Arrhenius."""

    def at(x: Any, kelvin: Any) -> Any:
        value = at_reference(x)
        if energy_j_mol == 0.0:
            return value
        return value * np.exp(energy_j_mol / GAS_J_MOL_K * (1.0 / reference_k - 1.0 / kelvin))

    return at
