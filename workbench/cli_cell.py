"""The verbs of `cell`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.option_passing import pass_to_verb
from workbench.options import AsJson
from workbench.report import Report
from workbench.run_verb import run_verb

cell = typer.Typer(
    name="cell",
    help="Exchange cells with other tools, in the Battery Parameter eXchange format (BPX).",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
cell.callback()(pass_to_verb)


@cell.command("export", short_help="Write a cell as a BPX file.")
def cell_export(
    name: Annotated[str, typer.Argument(metavar="CELL", help="A shipped cell, or a cell file.")],
    bpx: Annotated[Path, typer.Option(metavar="FILE.json", help="The BPX file to write.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Write the equations of a cell as a BPX file, at its own size.

    BPX has no place for the limits of temperature and rate, the BMS's limits, the circuits, the wear and the anode
    potentials: these stay in the cell file.
    """
    from workbench.verbs import cell as verb

    run_verb(Report("cell export", as_json), verb.export, name, bpx)


@cell.command("import", short_help="Make a cell file of a BPX file.")
def cell_import(  # noqa: PLR0917  # typer takes the options by name
    file: Annotated[Path, typer.Argument(metavar="FILE.json", help="The BPX file of one lithium cell.")],
    out: Annotated[Path, typer.Option(metavar="CELL.toml", help="The cell file to write.")],
    chemistry: Annotated[str, typer.Option(metavar="NAME", help="NMC, NCA, LCO, LFP or LMO.")],
    temperature_degc: Annotated[
        tuple[float, float], typer.Option(metavar="LOW HIGH", help="Temperatures that the cell bears, in degC.")
    ] = (-10.0, 55.0),
    charge_c: Annotated[float, typer.Option(min=0.01, help="Greatest charge that it bears, in C.")] = 1.0,
    discharge_c: Annotated[float, typer.Option(min=0.01, help="Greatest discharge that it bears, in C.")] = 2.0,
    heat_capacity: Annotated[
        float | None, typer.Option(min=0.1, metavar="J/K", help="Heat capacity, where the file does not say it.")
    ] = None,
    cooling: Annotated[
        float | None, typer.Option(min=1e-4, metavar="W/K", help="Cooling, where the file does not say it.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Make a cell file of a BPX file, and copy the BPX file beside it.

    The circuits of the twin and of estimators are fitted to two pulse tests on the simulated cell; this takes a
    minute or two.
    """
    from workbench.verbs import cell as verb

    given = verb.GivenLimits(chemistry, temperature_degc, charge_c, discharge_c, heat_capacity, cooling)
    run_verb(Report("cell import", as_json), verb.import_file, file, out, given)
