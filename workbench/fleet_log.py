"""The log of the verb `fleet`: its lines as they are, or as JSON objects with the requests of the API."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from drivers.errors import Usage
from edge_bridge.fleet.structured_log import FleetLog
from workbench.report import print_line

if TYPE_CHECKING:
    from workbench.report import Report

FORMATS: Final = ("text", "json")


def open_log(report: Report, form: str) -> FleetLog:
    """Let the lines of the report go through a log; raise `Usage` for an unknown format."""
    if form not in FORMATS:
        hint = f"write {' or '.join(FORMATS)}"
        raise Usage(f"{form!r} is no format of a log", key="log-format", value=form, bound=list(FORMATS), hint=hint)
    log = FleetLog(partial(print_line, to_stderr=report.as_json), as_json=form == "json")
    report.sink = log.line if log.is_json else None
    return log
