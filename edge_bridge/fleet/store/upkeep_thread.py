"""Upkeep beside a running host: a thread with connections of its own, at a quiet pace."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from drivers.errors import PulseError, Usage, describe_error
from edge_bridge.fleet.store.hour_marks import read_wall_ms
from edge_bridge.fleet.store.upkeep import Upkeep

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_bridge.fleet.store.upkeep import Retention, UpkeepResult

EVERY_S: Final = 60.0
PAUSE_S: Final = 0.05  # between transactions: commits go first


class UpkeepStopped(Exception):  # noqa: N818  # no error: the host ends
    """The host ends while upkeep runs; what is not done is done by the next one."""


class UpkeepThread:
    """Upkeep once a minute; the store of the host must be open already."""

    def __init__(
        self,
        where: Path | str,
        retention: Retention,
        report: Callable[[str], object],
        now_ms: Callable[[], int] = read_wall_ms,
    ) -> None:
        """`report` gets a sentence on each new file and on each new trouble."""
        self._upkeep = Upkeep(where, retention, self._pause)
        self._report, self._now_ms = report, now_ms
        self._stop = threading.Event()
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End after the transaction that runs now."""
        self._stop.set()
        self._thread.join()
        self._upkeep.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                done = self._upkeep.run(self._now_ms(), self._stop.is_set)
            except UpkeepStopped:
                return
            except Usage:  # another host does it
                self._tell("")
            except Exception as error:  # noqa: BLE001  # upkeep must not end with one failure, nor end the host
                self._tell(str(error) if isinstance(error, PulseError) else describe_error(error))
            else:
                self._tell("")
                self._report_files(done)
            self._stop.wait(EVERY_S)

    def _report_files(self, done: UpkeepResult) -> None:
        for file in done.files:
            self._report(f"moved old rows to {file}")

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            self._report(trouble)
        self._trouble = trouble

    def _pause(self) -> None:
        if self._stop.wait(PAUSE_S):
            raise UpkeepStopped
