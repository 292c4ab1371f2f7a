"""`measure`: figures beside those of peers, measured in one run."""

from __future__ import annotations

import os
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from drivers.errors import Usage
from workbench.measure.catalogue import measurement, select_names
from workbench.measure.job import MeasureJob
from workbench.measure.metric import format_table
from workbench.signals import leave_with_terminal

if TYPE_CHECKING:
    from collections.abc import Generator

    from workbench.measure.metric import MeasureRow
    from workbench.report import Report

DATA_VARIABLE = "PULSEBMS_DATA"


def main(report: Report, name: str, data: Path | None = None, *, markdown: bool = False) -> bool:
    """Measure `name`, or `all`; return True if no target is missed; a figure that was not judged does not count.

    `data`: the folder of recorded cells, else that of `PULSEBMS_DATA`, else `../shared/data` beside this checkout.
    With `markdown`, print the tables of `docs/measured.md` instead of lines.
    """
    leave_with_terminal()  # servers that a measurement started would go on
    names, recorded, progress = (
        select_names(name),
        _find_data(data),
        Console(stderr=True, highlight=False, soft_wrap=True),
    )
    rows: list[MeasureRow] = []
    for one in names:
        progress.print(f"measuring {one}", markup=False)
        with tempfile.TemporaryDirectory(prefix="pulsebms_measure_", ignore_cleanup_errors=True) as scratch:
            job = MeasureJob(lambda text: progress.print(f"  {text}", markup=False), Path(scratch), recorded)
            rows += (found := _measure_one(report, one, job, quiet=markdown))
        if markdown:
            report.line(f"### `measure {one}`\n\n{format_table(found)}")
    report.body["rows"] = [row.as_json() for row in rows]
    report.body["not_judged"] = sum(row.is_met is None for row in rows)
    return all(row.is_met is not False for row in rows)


def _measure_one(report: Report, name: str, job: MeasureJob, *, quiet: bool) -> list[MeasureRow]:
    rows: list[MeasureRow] = []
    with closing(_measure_rows(name, job)) as measured:  # what it started ends here, whatever happens
        for row in measured:
            rows.append(row)
            if not quiet:
                report.line(row.format_line())
            else:
                job.say(row.format_line())
    if rows and not quiet:
        report.line(f"      {rows[0].conditions}")
    return rows


def _measure_rows(name: str, job: MeasureJob) -> Generator[MeasureRow]:
    yield from measurement(name).measure(job)


def _find_data(given: Path | None) -> Path | None:
    """Return the folder of recorded cells, if it exists."""
    variable = os.environ.get(DATA_VARIABLE)
    if given is not None and not given.is_dir():
        raise Usage(f"{given} is not a folder", key="data", value=str(given), hint="name the folder of recorded cells")
    folder = given or (Path(variable) if variable else Path(__file__).resolve().parents[3] / "shared" / "data")
    return folder if folder.is_dir() else None
