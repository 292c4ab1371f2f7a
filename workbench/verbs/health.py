"""`health`: capacity and resistance from logs, or from a per-cycle table, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.errors import Usage
from drivers.output_file import refuse_outputs
from workbench.verbs import health_logs
from workbench.verbs.health_tables import HealthTeaching, judge_table

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.report import Report
    from workbench.verbs.health_logs import LogRequest


def main(
    report: Report,
    request: LogRequest,
    features: Path | None,
    teaching: HealthTeaching,
    *,
    model: Path | None = None,
) -> bool:
    """Report the health of the logs or of the table; return True if at least one capacity was found."""
    logs, out = [one.path for one in request.logs], request.out
    given = [*logs, *teaching.tables, *([features] if features else [])]
    if not given:
        raise Usage("no log to judge", hint="name a log, or a table with --features TABLE")
    if logs and (features or teaching.tables):
        raise Usage("logs and --features were both given", key="features", value=str(features), hint="give one of them")
    written = [*request.reports, out, model if teaching.tables else None]
    refuse_outputs([path for path in written if path is not None], given)
    if logs:
        return health_logs.judge(report, request)
    if request.reports:
        where = str(request.reports[0])
        raise Usage("a service report is made of logs", key="report", value=where, hint="name logs, not --features")
    return judge_table(report, features, model, out, teaching)
