"""The verbs `grade` and `health`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from workbench.options import AsJson, CellNumber, Columns, Parallel, Series, Sign
from workbench.report import Report
from workbench.run_verb import run_verb

_Model = Annotated[
    Path | None,
    typer.Option("--model", metavar="FILE", help="Model to use; with --train, the file to write; default: shipped."),
]
_Table = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write the results to this .csv or .parquet file.")
]
_Dataset = Annotated[str, typer.Option(metavar="TEXT", help="With --train: name and source of the data, for the file.")]
_Licence = Annotated[str, typer.Option(metavar="TEXT", help="With --train: licence of the data, for the file.")]


def grade(  # noqa: PLR0917  # typer takes the options by name
    pulses: Annotated[
        list[Path] | None, typer.Argument(metavar="[PULSES]...", help="Tables (CSV, Parquet) of U1 to U21 and Qn.")
    ] = None,
    model: _Model = None,
    out: _Table = None,
    train: Annotated[
        list[Path] | None,
        typer.Option("--train", metavar="TABLE", help="Teach a model this table, which also has Q; may be repeated."),
    ] = None,
    cell_of: Annotated[
        str,
        typer.Option(metavar="REGEX", help="With --train: the part of ID that names the cell; default: all of it."),
    ] = "",
    dataset: _Dataset = "",
    licence: _Licence = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Grade used cells: capacity in Ah with a 95 % interval from pulses of 5 s at 0.5, 1 and 1.5 C.

    U1 is the voltage at rest, U2 to U21 are those of the pulses as PulseBat defines them, Qn is the nominal capacity.
    State of charge is not needed. A row of a type that was not taught, or unlike taught cells, is rejected with
    its reason; rows with the same ID are also combined to one grade.
    """
    from workbench.verbs import grade as verb

    teaching = verb.GradeTeaching(train or [], cell_of, dataset, licence, _name_command())
    run_verb(Report("grade", as_json), verb.main, pulses or [], model, out, teaching)


def health(  # noqa: PLR0917  # typer takes the options by name
    logs: Annotated[
        list[Path] | None, typer.Argument(metavar="[RUN_OR_LOG]...", help="Logs or run folders of one cell, in order.")
    ] = None,
    features: Annotated[
        Path | None, typer.Option("--features", metavar="TABLE", help="A per-cycle table instead (CSV, Parquet).")
    ] = None,
    cell: Annotated[
        str, typer.Option(metavar="CELL", help="Cell of the logs, a shipped one or a file: its limits and voltages.")
    ] = "",
    model: _Model = None,
    out: _Table = None,
    train: Annotated[
        list[Path] | None,
        typer.Option("--train", metavar="TABLE", help="Teach a model this table, with capacities; may be repeated."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="NAME", help="With --train: a feature; default: all that may be."),
    ] = None,
    cell_column: Annotated[
        str, typer.Option(metavar="NAME", help="Columns that name the cell, separated by commas.")
    ] = "",
    capacity_column: Annotated[str, typer.Option(metavar="NAME", help="Column of measured capacities in Ah.")] = "",
    end: Annotated[
        float | None,
        typer.Option(
            min=0.3,
            max=0.99,
            help="With --train: end of life as a share of the first capacity; default: 0.8, or the next of 0.85, 0.88 "
            "and 0.9 that most taught cells reach.",
        ),
    ] = None,
    dataset: _Dataset = "",
    licence: _Licence = "",
    number: CellNumber = None,
    columns: Columns = "",
    sign: Sign = "",
    series: Series = 1,
    parallel: Parallel = 1,
    reports: Annotated[
        list[Path] | None,
        typer.Option(
            "--report", metavar="FILE", help="Write a service report of the logs: .html or .pdf; may be repeated."
        ),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Report the health of a cell with intervals: capacity, resistance, end of life.

    From logs, capacity needs a discharge from full to the cut-off of --cell, or two rests far apart in charge;
    resistance comes from steps of current. From a table, capacity follows from charge times and voltages; charges
    (Q, Ah) are never read, although at constant current a time is nearly a charge. Of models, that of Severson's LFP
    cells is shipped (--model severson); --train makes others.
    """
    from workbench.modelling.log_choice import LogChoice
    from workbench.verbs import health as verb
    from workbench.verbs.health_logs import LogRequest

    chosen = [LogChoice(path, columns, sign, number, None, series, parallel) for path in logs or ()]
    request = LogRequest(chosen, cell, out, reports or ())
    teaching = verb.HealthTeaching(
        train or [], tuple(column or ()), cell_column, capacity_column, end, dataset, licence, _name_command()
    )
    run_verb(Report("health", as_json), verb.main, request, features, teaching, model=model)


def _name_command() -> str:
    """Return the command as a user repeats it: paths without their folders, and without --json."""
    words = [Path(word).name if Path(word).is_file() else word for word in sys.argv[1:] if word != "--json"]
    return shlex.join(["python", "main.py", *words])
