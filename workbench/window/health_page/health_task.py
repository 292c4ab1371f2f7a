"""The verb `health` in a child process: what it is asked for, and the report that it gives."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  # a field of a record names it
from typing import TYPE_CHECKING, Any, Final

from workbench.modelling.service_report import ReportSection
from workbench.window.control_page.verb_process import read_tail, require_end, run_process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.window.tasks.task import Reporter

HTML_FILE, PDF_FILE = "report.html", "report.pdf"
NOTHING_FOUND: Final = 1  # the status of logs that show neither a capacity nor a resistance


@dataclass(frozen=True, slots=True)
class HealthRequest:
    """What `health` is asked for; empty text and None where the user says nothing. `folder` takes the results."""

    logs: tuple[Path, ...]
    folder: Path
    cell: str = ""
    number: int | None = None
    columns: str = ""
    sign: str = ""
    with_pdf: bool = False
    series: int = 1
    parallel: int = 1

    @property
    def words(self) -> list[str]:
        """The verb and its options."""
        names = [HTML_FILE, PDF_FILE] if self.with_pdf else [HTML_FILE]
        words = ["health", "--json", *(word for name in names for word in ("--report", str(self.folder / name)))]
        number = "" if self.number is None else str(self.number)
        given = (
            *(("--cell", self.cell), ("--number", number), ("--columns", self.columns), ("--sign", self.sign)),
            ("--series", "" if self.series == 1 else str(self.series)),
            ("--parallel", "" if self.parallel == 1 else str(self.parallel)),
        )
        words += [word for option, value in given if value for word in (option, value)]
        return [*words, "--", *map(str, self.logs)]


@dataclass(frozen=True, slots=True)
class JudgedLogs:
    """What the logs show, as the report says it; `pdf` is None where it was not made."""

    result: str
    sections: tuple[ReportSection, ...]
    has_figures: bool
    html: Path
    pdf: Path | None


def run_health(reporter: Reporter, request: HealthRequest, command: Sequence[str]) -> JudgedLogs | None:
    """Judge the logs; return None if the verb was stopped. Raise `Refused` with the verb's own error."""
    request.folder.mkdir(parents=True, exist_ok=True)
    log, output = request.folder / "lines.txt", request.folder / "health.json"
    status = run_process(reporter, command, log, lambda _: None, output=output)
    require_end(status, {0, NOTHING_FOUND}, read_tail(log), "the judgement of the logs")
    return None if status is None else read_judged(output, request)


def read_judged(output: Path, request: HealthRequest) -> JudgedLogs:
    """Return what the JSON of the verb says."""
    body: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    sections = tuple(
        ReportSection(one["title"], tuple(one["sentences"]), tuple(one["heads"]), tuple(map(tuple, one["rows"])))
        for one in body["report"]["sections"]
    )
    pdf = request.folder / PDF_FILE
    html = request.folder / HTML_FILE
    return JudgedLogs(body["report"]["result"], sections, bool(body["ok"]), html, pdf if pdf.is_file() else None)
