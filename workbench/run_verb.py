"""The runner of verbs: the one place that maps errors to an exit status."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Concatenate, NoReturn, ParamSpec

import typer

from drivers.errors import DEFECT, Interrupted, PulseError, RunLogError
from workbench.extras import missing_package
from workbench.report import Report
from workbench.signals import leave_once

P = ParamSpec("P")


def run_verb(
    report: Report, verb: Callable[Concatenate[Report, P], bool], *args: P.args, **kwargs: P.kwargs
) -> NoReturn:
    """Run a verb, which returns whether all checks hold; exit with the status."""
    try:
        leave_once()
        ok = verb(report, *args, **kwargs)
    except PulseError as error:
        raise typer.Exit(report.finish(ok=False, error=error)) from None
    except KeyboardInterrupt:
        stopped = Interrupted("interrupted; everything that was started has been shut down", hint=report.kept)
        raise typer.Exit(report.finish(ok=False, error=stopped)) from None
    except OSError as error:  # a full disk, a folder without write permission
        hint = "free some space, or name another folder"
        broken = RunLogError(error.strerror or str(error), where=error.filename, hint=hint)
        raise typer.Exit(report.finish(ok=False, error=broken)) from None
    except Exception as error:  # noqa: BLE001  # scripts get their object even then
        if isinstance(error, ModuleNotFoundError) and (missing := missing_package(error, report.command)):
            raise typer.Exit(report.finish(ok=False, error=missing)) from None
        traceback.print_exc()
        defect = PulseError(f"{report.command} failed: {DEFECT}", hint="report it with the lines above")
        raise typer.Exit(report.finish(ok=False, error=defect)) from None
    raise typer.Exit(report.finish(ok=ok))
