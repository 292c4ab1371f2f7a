"""`export`: a run as CSV or MDF4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress

from drivers.errors import Usage
from drivers.output_file import STDOUT
from drivers.runlog.export import export_csv, export_mdf4, refuse_run_files
from drivers.runlog.folder import ABOUT
from drivers.runlog.run import Run
from workbench.run_folders import find_newest

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.report import Report


def main(report: Report, run_folder: Path, csv: Path | None, mdf4: Path | None) -> bool:
    """Write each requested file; raise `RunLogError`."""
    if csv is None and mdf4 is None:
        raise Usage("no file to write", hint="name a file with --csv or --mdf4")
    run_folder = find_newest(run_folder, ABOUT)
    refuse_run_files([path for path in (csv, mdf4) if path is not None], run_folder)
    if csv == STDOUT and report.as_json:
        raise Usage("--csv - and --json both write to stdout", key="csv", value="-", hint="give one of them")
    written: list[str] = []
    with Run.open(run_folder) as run:
        for path, write in ((csv, export_csv), (mdf4, export_mdf4)):
            if path is None:
                continue
            with Progress(console=Console(stderr=True), transient=True) as progress:
                bar = progress.add_task(path.name, total=1.0)

                def report_progress(done: float, bar: object = bar, progress: Progress = progress) -> bool:
                    progress.update(bar, completed=done)  # pyright: ignore[reportArgumentType]  # the task's number
                    return True

                write(run, path, report_progress)
            written.append(str(path))
            if path != STDOUT:
                report.line(f"wrote {path}")
    report.body["files"] = written
    return True
