"""The output of a verb: one object for scripts, lines for people, an exit status for both."""

from __future__ import annotations

import os
import platform
import sys
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from drivers.clock import monotonic
from drivers.errors import (
    BenchError,
    BenchFileError,
    Interrupted,
    LogError,
    OutputClosed,
    PulseError,
    RunLogError,
    Usage,
)
from drivers.jsonvalues import replace_nan
from drivers.output_file import report_stream
from drivers.realtime import has_realtime_permission
from workbench.streams import drop_unwritten, encode_json

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION: Final = 1
RECENT: Final = 1000
NO_BUNDLE: Final = "not_a_bundle"  # the key of a `BundleRefused` for a file of another kind: bad input


class Exit(IntEnum):
    """Exit status."""

    OK = 0
    CHECK_FAILED = 1
    BAD_INPUT = 2
    MISSING = 3
    INTERRUPTED = 130  # as a shell reports a command that Ctrl-C ended
    OUTPUT_CLOSED = 141  # as a shell reports a command whose reader has ended, `doctor | head -1`


def status_of(error: PulseError) -> Exit:
    """Return the exit status of an error: bad input, a missing bench, an interrupt, or a check that failed."""
    if isinstance(error, (BenchFileError, LogError, RunLogError, Usage)) or error.key == NO_BUNDLE:
        return Exit.BAD_INPUT
    if isinstance(error, Interrupted):
        return Exit.INTERRUPTED
    if isinstance(error, OutputClosed):
        return Exit.OUTPUT_CLOSED
    return Exit.MISSING if isinstance(error, BenchError) else Exit.CHECK_FAILED


def name_schema(command: str) -> str:
    """Return the schema of a verb's object: `pulsebms.bundle.verify/1` for `bundle verify`."""
    return f"{'.'.join(['pulsebms', *command.split()])}/{VERSION}"


def describe_machine() -> dict[str, Any]:
    """Return the machine object of the report: cores, real-time permission, Python, platform."""
    return {
        "cores": os.cpu_count(),
        "realtime": has_realtime_permission(),
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
    }


def _describe_errors(error: PulseError | None) -> dict[str, Any]:
    """Return `error`, and `errors` beside it where several were found: all of them, the first one too."""
    if error is None:
        return {}
    several = {"errors": [one.as_json() for one in error.all]} if error.others else {}
    return {"error": error.as_json(), **several}


def print_line(text: str, *, to_stderr: bool = False) -> None:
    """Print a line at once; raise `OutputClosed` if nobody reads it any more, `RunLogError` for a full disk."""
    with report_stream("stderr" if to_stderr else "stdout"):
        print(text, file=sys.stderr if to_stderr else sys.stdout, flush=True)


@dataclass
class Report:
    """The results of a verb, printed in the form that the caller requested."""

    command: str
    as_json: bool = False
    started_s: float = field(default_factory=monotonic)
    body: dict[str, Any] = field(default_factory=dict[str, Any])
    recent: deque[str] = field(default_factory=lambda: deque(maxlen=RECENT))  # the newest lines for people
    sink: Callable[[str], None] | None = None  # takes the lines for people in place of the console
    kept: str = ""  # where the results are, for a person who interrupts the verb

    def line(self, text: str) -> None:
        """Print a line for people: to stdout, or to stderr if stdout carries the JSON object."""
        self.recent.append(text)
        if self.sink is not None:
            self.sink(text)
        else:
            print_line(text, to_stderr=self.as_json)

    def finish(self, *, ok: bool, error: PulseError | None = None) -> Exit:
        """Print the object if requested, and the error as a sentence always; return the exit status.

        Nobody reads the output any more after `OutputClosed`: print nothing then.
        """
        try:
            if not isinstance(error, OutputClosed):
                self._print(ok=ok, error=error)
        except OutputClosed as closed:
            error = closed
        except RunLogError as full:
            error = full
            with suppress(PulseError):
                print_line(f"error: {full}", to_stderr=True)
        drop_unwritten()
        if error:
            return status_of(error)
        return Exit.OK if ok else Exit.CHECK_FAILED

    def _print(self, *, ok: bool, error: PulseError | None) -> None:
        if self.as_json:
            head = {
                "schema": name_schema(self.command),
                "command": self.command,
                "ok": ok,
                "duration_s": round(monotonic() - self.started_s, 3),
                "machine": describe_machine(),
            }
            print_line(encode_json(replace_nan({**head, **self.body, **_describe_errors(error)})))
        if error:
            for one in error.all:
                print_line(f"error: {one}", to_stderr=True)
