"""A cell as a BPX file: formulas where PyBaMM's functions are some that BPX allows, tables elsewhere."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.benchfile.bpx_expression import VARIABLE, parse_expression
from drivers.benchfile.bpx_file import VERSION
from drivers.errors import BenchFileError
from twin.bpx_parameters import FARADAY_C_MOL, GAS_J_MOL_K

if TYPE_CHECKING:
    from twin.cell_parameters import CellParameters
    from twin.cell_physics import CellPhysics
    from twin.set_reader import SetReader

POINTS: Final = 1001  # of a table
WARMER_K: Final = 10.0  # than the reference, to find an activation energy
ELECTROLYTE_RANGE: Final = (1.0, 4000.0)  # mol/m3, of a table
STOICHIOMETRIES: Final = (1e-4, 1.0 - 1e-4)
NO_ENERGY_J_MOL: Final = 1e-6
CARRIED_WITHIN: Final = 1e-3  # relative, of an exchange current by the law of BPX
SOME_VOLUME_M3, SOME_SURFACE_M2 = 2e-5, 5e-3  # of a set without: only heat capacity and cooling of the cell count
NOT_CARRIED: Final = (
    "limits of temperature and rate",
    "the BMS's limits",
    "the circuits",
    "wear",
    "the table of anode potentials",
)


def export_bpx(cell: CellParameters, physics: CellPhysics) -> tuple[str, list[str]]:
    """Return the text of the cell's BPX file, with the scale of its area, and what it carries only in part.

    BPX has no place for what `NOT_CARRIED` lists. Raise `BenchFileError` for a sodium cell, or an exchange current
    that does not follow BPX's law.
    """
    from twin.set_reader import SetReader  # noqa: PLC0415  # PyBaMM takes seconds

    if physics.model != "SPMe":
        hint = "export a lithium cell"
        raise BenchFileError(f"BPX is of lithium cells, and {cell.name} has {physics.model} alone", hint=hint)
    reader = SetReader(physics)
    (n_empty, n_full), (p_empty, p_full) = reader.ranges
    rest_mol_m3 = reader.read("Initial concentration in electrolyte [mol.m-3]")
    volume_m3 = physics.area_scale * reader.read("Cell volume [m3]", SOME_VOLUME_M3)
    surface_m2 = reader.read("Cell cooling surface area [m2]", SOME_SURFACE_M2)
    parameters = {
        "Cell": {
            "Electrode area [m2]": reader.read("Electrode width [m]") * reader.read("Electrode height [m]"),
            "Number of electrode pairs connected in parallel to make a cell": reader.pairs,
            "Lower voltage cut-off [V]": reader.read("Open-circuit voltage at 0% SOC [V]"),
            "Upper voltage cut-off [V]": reader.read("Open-circuit voltage at 100% SOC [V]"),
            "Nominal cell capacity [A.h]": cell.nominal_ah,
            "Reference temperature [K]": reader.reference_k,
            "External surface area [m2]": surface_m2,
            "Volume [m3]": volume_m3,
            "Density [kg.m-3]": 1000.0,  # only its product with the specific heat counts
            "Specific heat capacity [J.K-1.kg-1]": physics.heat_capacity_j_k / volume_m3 / 1000.0,
        },
        "Electrolyte": {
            "Cation transference number": reader.read("Cation transference number"),
            **_describe(reader, "Diffusivity [m2.s-1]", "Electrolyte diffusivity [m2.s-1]", rest_mol_m3),
            **_describe(reader, "Conductivity [S.m-1]", "Electrolyte conductivity [S.m-1]", rest_mol_m3),
        },
        "Negative electrode": _describe_electrode(reader, "Negative", rest_mol_m3, (n_empty, n_full)),
        "Positive electrode": _describe_electrode(reader, "Positive", rest_mol_m3, (p_full, p_empty)),
        "Separator": _describe_pores(reader, "Separator"),
    }
    content = {
        "Header": {"BPX": VERSION, "Title": cell.name, "Model": "DFN", "Description": f"{cell.chemistry} cell"},
        "Parameterisation": parameters,
        "State": {
            "Initial conditions": {
                "Initial state-of-charge": 1.0,
                "Initial temperature [K]": reader.reference_k,
                "Initial electrolyte concentration [mol.m-3]": rest_mol_m3,
            },
            "Thermal environment": {
                "Ambient temperature [K]": reader.reference_k,
                "Heat transfer coefficient [W.m-2.K-1]": physics.cooling_w_k / surface_m2,
            },
        },
    }
    return json.dumps(content, indent=2) + "\n", reader.notes


def _describe_pores(reader: SetReader, domain: str) -> dict[str, Any]:
    porosity = reader.read(f"{domain} porosity")
    return {
        "Thickness [m]": reader.read(f"{domain} thickness [m]"),
        "Porosity": porosity,
        "Transport efficiency": porosity ** reader.read(f"{domain} Bruggeman coefficient (electrolyte)"),
    }


def _describe_electrode(
    reader: SetReader, side: str, rest_mol_m3: float, between: tuple[float, float]
) -> dict[str, Any]:
    domain = f"{side} electrode"
    pores = _describe_pores(reader, domain)
    solid = (1.0 - pores["Porosity"]) ** reader.read(f"{domain} Bruggeman coefficient (electrode)")
    radius_m = reader.read(f"{side} particle radius [m]")
    return {
        **pores,
        "Conductivity [S.m-1]": reader.read(f"{domain} conductivity [S.m-1]") * solid,
        "Minimum stoichiometry": between[0],
        "Maximum stoichiometry": between[1],
        "Maximum concentration [mol.m-3]": reader.read(f"Maximum concentration in {side.lower()} electrode [mol.m-3]"),
        "Particle radius [m]": radius_m,
        "Surface area per unit volume [m-1]": 3.0 * reader.read(f"{domain} active material volume fraction") / radius_m,
        **_describe(reader, "Diffusivity [m2.s-1]", f"{side} particle diffusivity [m2.s-1]", 0.5),
        "OCP [V]": _spell(reader, f"{domain} OCP [V]", STOICHIOMETRIES),
        "Entropic change coefficient [V.K-1]": _spell(reader, f"{domain} OCP entropic change [V.K-1]", STOICHIOMETRIES),
        **_describe_rate(reader, side, rest_mol_m3),
    }


def _describe(reader: SetReader, key: str, name: str, typical: float) -> dict[str, Any]:
    """Return a function at the reference temperature and its activation energy, found at a typical argument."""
    at = [reader.evaluate(name, typical, kelvin) for kelvin in _find_kelvins(reader)]
    between = STOICHIOMETRIES if typical < 1.0 else ELECTROLYTE_RANGE
    energy = key.replace(key[key.index(" [") :], " activation energy [J.mol-1]")
    for x in (0.4 * typical, 1.6 * typical):
        cold, warm = (reader.evaluate(name, x, kelvin) for kelvin in _find_kelvins(reader))
        off = (warm / cold) / (at[1] / at[0]) - 1.0
        if abs(off) > CARRIED_WITHIN:
            reader.notes.append(f"{name} at {x:g} is off by {100.0 * -off:.2g} % {WARMER_K:g} K warmer")
    return {key: _spell(reader, name, between, reader.reference_k), energy: _find_energy(reader, at)}


def _describe_rate(reader: SetReader, side: str, rest_mol_m3: float) -> dict[str, Any]:
    """Return the reaction rate; raise `BenchFileError` where the exchange current does not follow BPX's law."""
    name = f"{side} electrode exchange-current density [A.m-2]"
    most = reader.read(f"Maximum concentration in {side.lower()} electrode [mol.m-3]")
    at = [reader.evaluate(name, rest_mol_m3, 0.5 * most, most, kelvin) for kelvin in _find_kelvins(reader)]
    rate = at[0] / FARADAY_C_MOL / 0.5
    for share, x in ((0.5, 0.2), (1.5, 0.8)):
        law = FARADAY_C_MOL * rate * math.sqrt(share * x * (1.0 - x))
        found = reader.evaluate(name, share * rest_mol_m3, x * most, most, reader.reference_k)
        if not abs(found / law - 1.0) < CARRIED_WITHIN:
            what = f"{name} of {reader.name} is {found:.4g}, not the {law:.4g} that BPX's law gives at x = {x:g}"
            raise BenchFileError(what, value=found, bound=law, hint="BPX cannot carry this cell")
    return {
        "Reaction rate constant [mol.m-2.s-1]": rate,
        "Reaction rate constant activation energy [J.mol-1]": _find_energy(reader, at),
    }


def _find_kelvins(reader: SetReader) -> tuple[float, float]:
    return reader.reference_k, reader.reference_k + WARMER_K


def _find_energy(reader: SetReader, at: list[float]) -> float:
    """Return the activation energy (J/mol) between the reference temperature and a warmer one."""
    cold_k, warm_k = _find_kelvins(reader)
    energy = GAS_J_MOL_K * math.log(at[1] / at[0]) / (1.0 / cold_k - 1.0 / warm_k)
    return 0.0 if abs(energy) < NO_ENERGY_J_MOL else energy


def _spell(reader: SetReader, name: str, between: tuple[float, float], *more: float) -> float | str | dict[str, Any]:
    """Return a parameter as a number, a formula or a table."""
    text = reader.spell(name, VARIABLE, *more)
    try:
        return float(text)
    except ValueError:
        pass  # it depends on x
    try:
        parse_expression(text)
    except ValueError:
        x = np.linspace(*between, POINTS)
        return {"x": x.tolist(), "y": [reader.evaluate(name, float(value), *more) for value in x]}
    return text
