"""The thread in which rollouts and commands are moved on, beside the host."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Protocol

from drivers.errors import PulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TURN_S: Final = 1.0


class FleetDriver(Protocol):
    """What is done once in a turn; it raises `PulseError` for what may work at the next one."""

    def turn(self) -> None: ...


class DriverThread:
    """The thread; a database that does not answer is tried again at the next turn."""

    def __init__(self, drivers: Sequence[FleetDriver], report: Callable[[str], None]) -> None:
        self._drivers, self._report = drivers, report
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fleet-drivers", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        told = ""
        while not self._ending.wait(TURN_S):
            words = ""
            for driver in self._drivers:
                try:
                    driver.turn()
                except PulseError as error:
                    words = error.sentence
            if words and words != told:
                self._report(words)
            told = words
