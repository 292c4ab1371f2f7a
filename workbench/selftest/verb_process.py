"""A verb of the workbench in its own process, which ends with this one: its output goes to a log, its JSON is read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any, Final

from drivers.clock import monotonic
from workbench.own_command import make_own_command, make_own_environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KILL: Final = getattr(signal, "SIGKILL", signal.SIGTERM)
LOOK_S: Final = 0.05
END_S: Final = 30.0


class VerbProcess:
    """A process that starts at once; its log and its JSON answer are files in `folder`."""

    def __init__(self, name: str, arguments: Sequence[str], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name, self._log, self._answer = name, folder / f"{name}.log", folder / f"{name}.json"
        command = make_own_command(*arguments, "--json")
        self._before = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log, self._answer.open("wb") as answer:
            self._process = subprocess.Popen(  # noqa: S603  # ourselves
                command,
                env=make_own_environment(),
                stdin=subprocess.PIPE,  # nothing is written; it ends if this process is killed, and the verb with it
                stdout=answer,
                stderr=log,
                start_new_session=os.name != "nt",
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def read_log(self) -> str:
        """Return all output of this process; skip what an earlier process of the same name wrote to the log."""
        return self._log.read_bytes()[self._before :].decode("utf-8", "replace")

    def has_line(self, words: Sequence[str]) -> bool:
        """Return whether a line of this process has all `words`."""
        return any(all(word in line for word in words) for line in self.read_log().splitlines())

    def wait_for_line(self, words: Sequence[str], within_s: float) -> bool:
        """Wait for a line with all `words`; return False when none comes in time or the process has ended."""
        until_s = monotonic() + within_s
        while monotonic() < until_s:
            if self.has_line(words):
                return True
            if not self.is_running:
                return False
            time.sleep(LOOK_S)
        return False

    def read_last_line(self) -> str:
        """Return its last line of output."""
        return ([line for line in self.read_log().splitlines() if line.strip()] or ["nothing"])[-1]

    def describe_end(self) -> str:
        """Return how a process that runs no more has ended: by which signal, or with which status and last line."""
        status = self._process.poll()
        if status is not None and status < 0:
            return f"was ended by {signal.Signals(-status).name}"
        return f"ended with status {status}: {self.read_last_line()}"

    def wait(self, within_s: float) -> dict[str, Any]:
        """Wait for the end; return its JSON object, empty where it wrote none or has not ended in time."""
        try:
            self._wait(within_s)
        except subprocess.TimeoutExpired:
            return {}
        return self._read_answer()

    def stop(self) -> dict[str, Any]:
        """Ask the process to end; return its JSON object, empty where it wrote none."""
        if self.is_running:
            self._process.terminate()
        try:
            self._wait(END_S)
        except subprocess.TimeoutExpired:
            self.kill()
        return self._read_answer()

    def _wait(self, within_s: float | None) -> None:
        self._process.wait(within_s)
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _read_answer(self) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = json.loads(self._answer.read_text(encoding="utf-8"))
        except ValueError:
            return {}
        return answer

    def kill(self) -> None:
        """Send SIGKILL and wait for the end."""
        if self.is_running:
            os.kill(self._process.pid, KILL)
        self._wait(None)
