"""Pieces of work for tests of the background: a child process imports this module."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from drivers.errors import Usage
from workbench.window.tasks.task import Cancelled

if TYPE_CHECKING:
    from workbench.window.tasks.task import Reporter


def add(_reporter: Reporter, left: int, right: int) -> int:
    return left + right


def pid(_reporter: Reporter) -> int:
    return os.getpid()


def count(reporter: Reporter, steps: int) -> int:
    """Report each step, wait for a message before the next."""
    for step in range(steps):
        reporter.report(step / steps, f"step {step}")
        reporter.newest()
    return steps


def go_on_until_cancelled(reporter: Reporter, draft: Path) -> None:
    """Write a draft, remove it once it is cancelled."""
    draft.touch()
    try:
        with suppress(Cancelled):
            while True:
                reporter.newest()
        if not reporter.report(None, "asked to end"):
            reporter.check()
    finally:
        draft.unlink()


def never_look(reporter: Reporter) -> None:
    """Leave a temporary folder behind, and ignore a cancel."""
    reporter.send(Path(tempfile.mkdtemp()))
    Event().wait()


def echo_newest(reporter: Reporter) -> None:
    """Send back what came last, until it is cancelled."""
    while True:
        reporter.send(reporter.newest())


def refuse(_reporter: Reporter) -> None:
    raise Usage("cannot be read", where="file", hint="name another")


def break_down(_reporter: Reporter) -> None:
    raise ZeroDivisionError("a defect")


def exit_at_once(_reporter: Reporter) -> None:
    os._exit(3)


def answer_what_cannot_be_pickled(_reporter: Reporter) -> object:
    return lambda: None
