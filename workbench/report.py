"""The output of a verb: one object for scripts, lines for people, an exit status for both."""

from __future__ import annotations

import os
import platform
import sys
import time
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from drivers.errors import BenchError, BenchFileError, Interrupted, PulseError, RunLogError, Usage
from drivers.jsonvalues import replace_nan
from drivers.realtime import has_realtime_permission
from workbench.streams import encode_json

VERSION: Final = 1


class Exit(IntEnum):
    """Exit status."""

    OK = 0
    CHECK_FAILED = 1
    BAD_INPUT = 2
    MISSING = 3
    INTERRUPTED = 130  # as a shell reports a command that Ctrl-C ended


def status_of(error: PulseError) -> Exit:
    """Return the exit status of an error: bad input, a missing bench, an interrupt, or a check that failed."""
    if isinstance(error, (BenchFileError, RunLogError, Usage)):
        return Exit.BAD_INPUT
    if isinstance(error, Interrupted):
        return Exit.INTERRUPTED
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


@dataclass
class Report:
    """The results of a verb, printed in the form that the caller requested."""

    command: str
    as_json: bool = False
    started_s: float = field(default_factory=time.monotonic)
    body: dict[str, Any] = field(default_factory=dict[str, Any])
    kept: str = ""  # where the results are, for a person who interrupts the verb

    def line(self, text: str) -> None:
        """Print a line for people: to stdout, or to stderr if stdout carries the JSON object."""
        print(text, file=sys.stderr if self.as_json else sys.stdout, flush=True)

    def finish(self, *, ok: bool, error: PulseError | None = None) -> Exit:
        """Print the object if requested, and the error as a sentence always; return the exit status."""
        if self.as_json:
            head = {
                "schema": name_schema(self.command),
                "command": self.command,
                "ok": ok,
                "duration_s": round(time.monotonic() - self.started_s, 3),
                "machine": describe_machine(),
            }
            tail = {"error": error.as_json()} if error else {}
            print(encode_json(replace_nan({**head, **self.body, **tail})), flush=True)
        if error:
            print(f"error: {error}", file=sys.stderr, flush=True)
            return status_of(error)
        return Exit.OK if ok else Exit.CHECK_FAILED
