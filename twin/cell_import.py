"""Make a cell file of a BPX file: limits that a person declares, circuits fitted to its simulated DFN."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from drivers.benchfile.bpx_file import parse_bpx
from drivers.errors import Usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.benchfile.bpx_file import BpxFile
    from drivers.benchfile.cell_sections import CellFile

OPENS_BEYOND_V: Final = 0.05  # above the full cell, of the BMS
OPENS_BEFORE: Final = 0.1  # of the range of voltage, above the empty cell
BMS_MOST_C: Final = 1.0


class CellDeclaration(NamedTuple):
    """What a BPX file has no place for; heat in J/K and W/K where the file does not say it."""

    chemistry: str
    temperature_degc: tuple[float, float]
    charge_c: float
    discharge_c: float
    heat_capacity_j_k: float | None = None
    cooling_w_k: float | None = None


def import_bpx(
    text: str, name: str, declared: CellDeclaration, report: Callable[[float], object] = lambda _: None
) -> CellFile:
    """Return the cell file that names the BPX file `name`, with this text; raise `BenchFileError`, `Usage`.

    It simulates two pulse tests (a minute or two); `report` hears the share that is done.
    """
    file = parse_bpx(Path(name), text)
    heat = _choose_heat(file, declared, name)
    from twin.cell_physics import CellPhysics  # noqa: PLC0415
    from twin.make_cells import TESTS_SOURCE, compose_cell  # noqa: PLC0415  # PyBaMM takes seconds

    sources = {
        "limits": "voltage: the cut-offs of the BPX file; temperature and rates: declared at import",
        "bms": "a cautious BMS: it opens 50 mV beyond the full cell, and above the empty one",
        "thermal": "the BPX file, or declared at import",
        "physics": f"{name}: {file.header.references or file.header.title or 'a BPX file'}",
        **{key: said.format(model="DFN") for key, said in TESTS_SOURCE.items()},
    }
    physics = CellPhysics("", text, 1.0, "SPMe", *heat)
    recipe = _make_recipe(file, declared, name)
    return compose_cell(recipe, physics, file.parameters.cell.nominal_ah, sources, bpx=name, report=report)


def _choose_heat(file: BpxFile, declared: CellDeclaration, name: str) -> tuple[float, float]:
    """Return heat capacity and cooling: what is declared, else what the file says; raise `Usage` without either."""
    capacity_j_k, cooling_w_k = file.find_heat()
    heat_j_k, loss_w_k = declared.heat_capacity_j_k or capacity_j_k, declared.cooling_w_k or cooling_w_k
    if heat_j_k is None or loss_w_k is None:
        key = "heat-capacity" if heat_j_k is None else "cooling"
        what = f"does not say the {key.replace('-', ' ')} of the cell"
        raise Usage(what, where=name, key=key, hint=f"give --{key}")
    return heat_j_k, loss_w_k


def _make_recipe(file: BpxFile, declared: CellDeclaration, name: str) -> Any:
    from twin.cell_recipes import Recipe, make_bms  # noqa: PLC0415

    cell = file.parameters.cell
    low_v, high_v = cell.low_v, cell.high_v
    bms = make_bms(
        (round(low_v + OPENS_BEFORE * (high_v - low_v), 3), round(high_v + OPENS_BEYOND_V, 3)),
        declared.temperature_degc,
        min(declared.charge_c, BMS_MOST_C),
        min(declared.discharge_c, BMS_MOST_C),
        round(0.5 * (low_v + high_v), 3),
    )
    return Recipe(
        declared.chemistry,
        file.header.title or Path(name).stem,
        cell.nominal_ah,
        (low_v, high_v),
        declared.temperature_degc,
        declared.charge_c,
        declared.discharge_c,
        bms,
        "",
        "",
        lacks=("limits of temperature and rate", "ageing"),
    )
