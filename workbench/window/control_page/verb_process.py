"""A verb in a process of its own, below a child process of the window: its newest line, its end, and its error."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Final

from drivers.errors import Refused
from drivers.processes import put_behind
from workbench.own_command import make_own_environment
from workbench.window.tasks.task import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from workbench.window.tasks.task import Reporter

STOP: Final = "stop"
LOOK_S: Final = 0.5
_TAIL: Final = 4000  # bytes


def run_process(
    reporter: Reporter,
    command: Sequence[str],
    log: Path,
    look: Callable[[str], float | None],
    *,
    output: Path | None = None,
) -> int | None:
    """Run a verb to its end; return its status, None if it was stopped. Raise `Cancelled` if the task was.

    `look` gets the newest line twice a second and returns the fraction that is done. The verb's lines go to `log`, and
    its stdout to `output` where one is given. A verb that is stopped ends in order: it gets what a Ctrl-C sends.
    """
    process = _start(command, log, output)
    put_behind(process.pid)  # a bench may run meanwhile
    is_stopped = is_cancelled = False
    with process:
        while process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_S)
            line = find_newest_line(read_tail(log))
            is_cancelled = not reporter.report(look(line), line)
            if not is_stopped and (is_cancelled or reporter.poll() == STOP):
                is_stopped = True
                process.terminate()
    if is_cancelled:
        raise Cancelled
    return None if is_stopped else process.returncode


def _start(command: Sequence[str], log: Path, output: Path | None) -> subprocess.Popen[bytes]:
    with ExitStack() as files:
        lines = files.enter_context(log.open("wb"))
        written = lines if output is None else files.enter_context(output.open("wb"))
        return subprocess.Popen(  # noqa: S603  # our own verb
            list(command),
            stdin=subprocess.PIPE,  # nothing is written; it ends if this process is killed, and the verb with it
            stdout=written,
            stderr=lines,
            env=make_own_environment(),
            start_new_session=os.name != "nt",
        )


def read_tail(log: Path) -> str:
    """Return the end of the output."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL))
        return file.read().decode("utf-8", errors="replace")


def find_newest_line(text: str) -> str:
    """Return the newest line, with single spaces."""
    lines = [line for line in text.splitlines() if line.strip()]
    return " ".join(lines[-1].split()) if lines else ""


def find_error(text: str) -> str:
    """Return the first error that a verb printed, without its mark; empty for none."""
    errors = [line.removeprefix("error: ") for line in text.splitlines() if line.startswith("error: ")]
    return errors[0] if errors else ""


def require_end(status: int | None, good: set[int], tail: str, what: str) -> None:
    """Raise `Refused` with the verb's own error, unless it was stopped."""
    error = find_error(tail)
    if status is not None and (error or status not in good):
        raise Refused(error or f"{what} ended with status {status}")
