"""Options that several verbs share, and their defaults."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

RUNS = Path("runs")

BenchFile = Annotated[
    Path,
    typer.Option("--bench", metavar="FILE", help="Bench file; default: the emulated bench.", show_default=False),
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run; in a folder of runs, the newest.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")]
UntilStopped = Annotated[
    float | None, typer.Option("--duration", min=1.0, help="Seconds to run; default: until stopped.")
]
InjectDefect = Annotated[str, typer.Option("--inject-defect", metavar="NAME", hidden=True)]
TrustedKeys = Annotated[Path, typer.Option("--trust", metavar="DIR", help="Folder of the trusted public keys (*.pem).")]
Faults = Annotated[list[str], typer.Option("--fault", metavar="FAULT", help="Fault to inject; may be repeated.")]
TakeOver = Annotated[
    bool, typer.Option("--take-over", help="Take over a supply that another client controls (REMOTE).")
]
PricesTable = Annotated[
    Path | None,
    typer.Option(
        "--prices", metavar="TABLE", help="Draw the prices of an arbitrage task from this CSV or Parquet table."
    ),
]
PricesUnit = Annotated[
    str, typer.Option(metavar="UNIT", help="EUR/kWh or EUR/MWh, where the header of the table does not say it.")
]
PricesColumn = Annotated[
    str,
    typer.Option(metavar="NAME", help="Column of the prices, where there are several; or the place, such as a hub."),
]
_DAYS = ["%Y-%m-%d"]
PricesFrom = Annotated[
    datetime | None, typer.Option(formats=_DAYS, metavar="DATE", help="First day of the table that is used.")
]
PricesTo = Annotated[
    datetime | None, typer.Option(formats=_DAYS, metavar="DATE", help="Day after the last one that is used.")
]
PricesFitFrom = Annotated[
    datetime | None,
    typer.Option(
        formats=_DAYS,
        metavar="DATE",
        help="Fit what a policy expects of prices to the days from here to --prices-from; default: as in the task.",
    ),
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the results.")]
Columns = Annotated[
    str,
    typer.Option(
        metavar="NAMES",
        help="Columns of the log where their headers are not known: time=...,voltage=...,current=...,"
        "temperature=...,ah=...",
    ),
]
Sign = Annotated[
    str,
    typer.Option(metavar="WORD", help="What a positive current is, charge or discharge; default: found in the log."),
]
CellNumber = Annotated[int | None, typer.Option("--number", min=1, help="With a run: the number of the cell.")]
Series = Annotated[int, typer.Option("--series", min=1, help="Cells in series of a log of a pack; the mean is read.")]
Parallel = Annotated[int, typer.Option("--parallel", min=1, help="Cells in parallel of a log of a pack.")]
