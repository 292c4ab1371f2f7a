"""The verbs on logs of cells: `fit`, `estimate` and `twin`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.options import AsJson, CellNumber, Columns, Parallel, Series, Sign
from workbench.report import Report
from workbench.run_verb import run_verb

LogFile = Annotated[
    Path, typer.Argument(metavar="LOG", help="Log of a cell (CSV, Parquet, Excel, MDF, MATLAB), or a run.")
]
CellName = Annotated[str, typer.Option("--cell", metavar="CELL", help="Cell file, or the name of a shipped cell.")]
Temperature = Annotated[
    float | None,
    typer.Option("--temperature-degc", metavar="DEGC", help="Temperature of a log that has none; default: 25."),
]
StartSoc = Annotated[
    float | None,
    typer.Option(min=0.0, max=1.0, help="State of charge at the start; default: from the first voltages."),
]


def fit(
    tests: Annotated[Path, typer.Argument(metavar="TESTS", help="List of the tests (TOML); paths are relative to it.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Cell file to write.")] = Path("cell.toml"),
    beside: Annotated[
        str, typer.Option(metavar="CELL", help="Another cell to score on the same tests, such as the one of before.")
    ] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Fit a cell file to a laboratory's tests: a slow discharge, pulses, drive cycles, at one temperature or several.

    The list names each test with its kind (ocv, pulse, drive, capacity) and temperature; held = true marks one that
    is only scored. Tests start with a full cell. Prints the voltage error of each test, and what the tests left open.
    """
    from workbench.verbs import fit as verb

    run_verb(Report("fit", as_json), verb.main, tests, out, beside)


def estimate(  # noqa: PLR0917  # typer takes the options by name
    log: LogFile,
    cell: CellName,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Table to write: Parquet or CSV.")],
    lane: Annotated[str, typer.Option(metavar="NAME", help="Estimator: ekf, ckf, dual-ekf or coulomb.")] = "ekf",
    soc0: StartSoc = None,
    temperature: Temperature = None,
    number: CellNumber = None,
    columns: Columns = "",
    sign: Sign = "",
    series: Series = 1,
    parallel: Parallel = 1,
    *,
    as_json: AsJson = False,
) -> None:
    """Estimate the state of charge along a log: one row for each row of the log, at its own times.

    Columns: time_s, soc, soc_std, voltage_model_v, r0_ohm, current_offset_a, sensor_implausible, row, and the power
    that the cell can give and take for 10 and 60 s: discharge_power_10s_w, with _low_w and _high_w. The state of
    health: soh, soh_std, resistance_growth, resistance_growth_std; null until rests and steps of current show it.
    """
    from workbench.modelling.log_choice import LogChoice
    from workbench.verbs import estimate as verb

    chosen = LogChoice(log, columns, sign, number, temperature, series, parallel)
    run_verb(Report("estimate", as_json), verb.main, chosen, cell, out, lane, soc0=soc0)


def twin(  # noqa: PLR0917  # typer takes the options by name
    log: LogFile,
    cell: CellName,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Table to write: Parquet or CSV.")],
    model: Annotated[str, typer.Option(metavar="NAME", help="ecm, spme or dfn.")] = "ecm",
    soc0: StartSoc = None,
    temperature: Temperature = None,
    number: CellNumber = None,
    columns: Columns = "",
    sign: Sign = "",
    series: Series = 1,
    parallel: Parallel = 1,
    *,
    as_json: AsJson = False,
) -> None:
    """Lay a model over a log: its voltage and temperature under the log's current, beside what was measured."""
    from workbench.modelling.log_choice import LogChoice
    from workbench.verbs import twin as verb

    chosen = LogChoice(log, columns, sign, number, temperature, series, parallel)
    run_verb(Report("twin", as_json), verb.main, chosen, cell, out, model, soc0=soc0)
