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
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout and nothing else.")]
Faults = Annotated[list[str], typer.Option("--fault", metavar="FAULT", help="Inject a fault; may be repeated.")]
TakeOver = Annotated[bool, typer.Option("--take-over", help="Take a supply that somebody else controls (REMOTE).")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for what this makes.")]
