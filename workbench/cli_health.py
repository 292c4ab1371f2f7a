"""The verbs `grade` and `health`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from workbench.options import AsJson
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


def _name_command() -> str:
    """Return the command as a user repeats it: paths without their folders, and without --json."""
    words = [Path(word).name if Path(word).is_file() else word for word in sys.argv[1:] if word != "--json"]
    return shlex.join(["python", "main.py", *words])
