"""Options that several verbs share, and their defaults."""

from __future__ import annotations

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
Faults = Annotated[list[str], typer.Option("--fault", metavar="FAULT", help="Fault to inject; may be repeated.")]
TakeOver = Annotated[
    bool, typer.Option("--take-over", help="Take over a supply that another client controls (REMOTE).")
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the results.")]
