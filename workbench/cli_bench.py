"""The verbs of `bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.option_passing import pass_to_verb
from workbench.options import AsJson
from workbench.report import Report
from workbench.run_verb import run_verb

bench = typer.Typer(name="bench", help="Copy bench files.", rich_markup_mode=None, pretty_exceptions_enable=False)
bench.callback()(pass_to_verb)


@bench.command("copy", short_help="Copy a bench with all files that it names.")
def bench_copy(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The bench file to copy.")],
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder for the copy; created if it does not exist.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Copy a bench file with its device map, its DBC, its device profile and the files of its lanes.

    Nothing is overwritten. The copy is a bench that can be connected.
    """
    from workbench.verbs import bench as verb

    run_verb(Report("bench copy", as_json), verb.copy, file, folder)
