"""`measure`: figures beside those of peers, measured in one run."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from drivers.errors import Usage
from workbench.measure.catalogue import chosen, measurement
from workbench.measure.job import Job
from workbench.measure.metric import table

if TYPE_CHECKING:
    from workbench.measure.metric import Row
    from workbench.report import Report

DATA_VARIABLE = "PULSEBMS_DATA"


def main(report: Report, name: str, data: Path | None = None, *, markdown: bool = False) -> bool:
    """Measure `name`, or `all`; True when no target is missed, whatever could not be judged.

    `data`: the folder of recorded cells, else what `PULSEBMS_DATA` names, else `../shared/data` beside this checkout.
    With `markdown` the tables of `docs/measured.md` instead of lines.
    """
    names, recorded, progress = chosen(name), _recorded(data), Console(stderr=True, highlight=False, soft_wrap=True)
    rows: list[Row] = []
    for one in names:
        progress.print(f"measuring {one}", markup=False)
        with tempfile.TemporaryDirectory(prefix="pulsebms_measure_", ignore_cleanup_errors=True) as scratch:
            job = Job(lambda text: progress.print(f"  {text}", markup=False), Path(scratch), recorded)
            rows += (found := _measured(report, one, job, quiet=markdown))
        if markdown:
            report.line(f"### `measure {one}`\n\n{table(found)}")
    report.body["rows"] = [row.as_json() for row in rows]
    report.body["not_judged"] = sum(row.met is None for row in rows)
    return all(row.met is not False for row in rows)


def _measured(report: Report, name: str, job: Job, *, quiet: bool) -> list[Row]:
    rows: list[Row] = []
    for row in measurement(name).measure(job):
        rows.append(row)
        if not quiet:
            report.line(row.line())
        else:
            job.say(row.line())
    if rows and not quiet:
        report.line(f"      {rows[0].conditions}")
    return rows


def _recorded(given: Path | None) -> Path | None:
    """The folder of recorded cells, if it is there."""
    named = os.environ.get(DATA_VARIABLE)
    if given is not None and not given.is_dir():
        raise Usage(f"{given} is no folder", key="data", value=str(given), hint="name the folder of recorded cells")
    folder = given or (Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "data")
    return folder if folder.is_dir() else None
