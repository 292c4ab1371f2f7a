"""The runner of verbs: the one place that maps errors to an exit status."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Concatenate, NoReturn, ParamSpec

import typer

from drivers.errors import DEFECT, Interrupted, PulseError, RunLogError
from workbench.extras import missing_package
from workbench.report import Exit, Report
from workbench.signals import leave_once

P = ParamSpec("P")


def run_verb(
    report: Report, verb: Callable[Concatenate[Report, P], bool], *args: P.args, **kwargs: P.kwargs
) -> NoReturn:
    """Run a verb, which returns whether all checks hold; exit with the status."""
    try:
        leave_once()
        ok = verb(report, *args, **kwargs)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # scripts get their object whatever happens
        raise typer.Exit(report_error(report, error)) from None
    raise typer.Exit(report.finish(ok=ok))


def report_error(report: Report, error: BaseException) -> Exit:
    """Print the error of a verb; return the exit status."""
    return report.finish(ok=False, error=_explain(report, error))


def _explain(report: Report, error: BaseException) -> PulseError:
    match error:
        case PulseError():
            return error
        case KeyboardInterrupt():
            return Interrupted("interrupted; everything that was started has been shut down", hint=report.kept)
        case OSError():  # a full disk, a folder without write permission
            hint = "free some space, or name another folder"
            return RunLogError(error.strerror or str(error), where=error.filename, hint=hint)
        case ImportError() if missing := missing_package(error, report.command):
            return missing
        case _:
            traceback.print_exception(error)
            return PulseError(f"{report.command} failed: {DEFECT}", hint="report it with the lines above")
