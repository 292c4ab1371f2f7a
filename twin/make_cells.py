"""Make the shipped cell files from PyBaMM's parameter sets: `python -m twin.make_cells [NAME ...]` (minutes a cell)."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from drivers.benchfile.cell_file import CELLS, SUFFIX
from drivers.benchfile.cell_sections import SCHEMA, CellFile
from drivers.benchfile.cell_writer import round_all, write_cell
from twin import plating_fit, pulse_fit, pybamm_models
from twin.cell_physics import CellPhysics
from twin.cell_recipes import RECIPES, SCHMALSTIEG, SCHMALSTIEG_SOURCE, SHIPPED_AH, Recipe

if TYPE_CHECKING:
    from collections.abc import Callable

HEAT_SCALED: Final = "a scaled cell has more layers between the same outer surfaces"
TESTS_SOURCE: Final = {
    "circuit": "a laboratory's pulse test, simulated on PyBaMM's {model} of the set",
    "estimator": "an incoming inspection, simulated on the {model}: another test than the circuit's, as no estimator "
    "may know the twin",
}


def make_cell(name: str) -> CellFile:
    """Simulate the tests of a shipped cell and return its file."""
    recipe = RECIPES[name]
    scale = SHIPPED_AH / recipe.nominal_ah
    bare = CellPhysics(recipe.parameter_set, "", scale, recipe.model, 1.0, 1.0)
    heat, heat_source = find_heat(recipe, bare)
    physics = bare._replace(heat_capacity_j_k=heat[0], cooling_w_k=heat[1])
    return compose_cell(recipe, physics, SHIPPED_AH, describe_sources(recipe, scale, heat_source))


def compose_cell(
    recipe: Recipe,
    physics: CellPhysics,
    capacity_ah: float,
    sources: dict[str, str],
    *,
    bpx: str = "",
    report: Callable[[float], object] = lambda _: None,
) -> CellFile:
    """Simulate the tests of a cell and return its file; `bpx` names its BPX file; `report` hears the share done."""
    count = len(pulse_fit.TESTS)
    values: dict[str, Any] = {
        "schema": SCHEMA,
        "name": recipe.parameter_set,
        "chemistry": recipe.chemistry,
        "capacity_ah": capacity_ah,
        "source": sources,
        "limits": {
            "voltage_v": recipe.voltage_v,
            "temperature_degc": recipe.temperature_degc,
            "charge_c": recipe.charge_c,
            "discharge_c": recipe.discharge_c,
        },
        "bms": recipe.bms,
        "thermal": {"heat_capacity_j_k": physics.heat_capacity_j_k, "cooling_w_k": physics.cooling_w_k},
        "physics": {
            **({"bpx": bpx} if bpx else {"parameter_set": physics.parameter_set}),
            "area_scale": round_all(physics.area_scale),
            "model": recipe.model,
            "lacks": recipe.lacks,
        },
        **{
            test.name: pulse_fit.fit_section(
                replace(test, rate_c=test.rate_c * recipe.pulses),
                physics,
                lambda done, number=number: report((number + done) / count),
            )
            for number, test in enumerate(pulse_fit.TESTS)
        },
    }
    if recipe.wear:
        values["wear"] = SCHMALSTIEG
    if recipe.plating:
        values["plating"] = plating_fit.fit_section(physics)
    return CellFile.model_validate(values)


def find_heat(recipe: Recipe, physics: CellPhysics) -> tuple[tuple[float, float], str]:
    """Return heat capacity and cooling of the shipped cell, and where they come from."""
    if recipe.heat is not None:
        capacity_j_k, cooling_w_k, source = recipe.heat
        return (capacity_j_k, cooling_w_k), source
    found = pybamm_models.find_heat(physics)
    if found is None:
        raise ValueError(f"{recipe.parameter_set} has no heat capacity: give one in its recipe")
    return (round_all(found[0]), round_all(found[1])), f"lumped model of PyBaMM, {recipe.parameter_set}; {HEAT_SCALED}"


def describe_sources(recipe: Recipe, scale: float, heat_source: str) -> dict[str, str]:
    """Return where the numbers of each table come from."""
    scaled = "" if scale == 1.0 else f"; its {recipe.nominal_ah:g} Ah scaled to {SHIPPED_AH:g} Ah by electrode area"
    model = "BasicDFN" if recipe.model == "BasicDFN" else "DFN"
    sources = {
        "limits": recipe.limits_source,
        "bms": "a cautious BMS: it opens 50 mV beyond the full cell, and above the empty one",
        "thermal": heat_source,
        "physics": recipe.physics_source + scaled,
        **{name: text.format(model=model) for name, text in TESTS_SOURCE.items()},
    }
    if recipe.wear:
        sources["wear"] = SCHMALSTIEG_SOURCE
    if recipe.plating:
        sources["plating"] = "charges simulated on PyBaMM's DFN of the set"
    return sources


def main() -> None:
    """Write the files of the named cells, or of all."""
    for name in sys.argv[1:] or RECIPES:
        write_cell(make_cell(name), CELLS / f"{name}{SUFFIX}")


if __name__ == "__main__":
    main()
