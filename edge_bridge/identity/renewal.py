"""A thread that renews the certificate of an edge before it expires, and never keeps the edge from its work."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from drivers.errors import PulseError
from edge_bridge.identity.enrolment import is_renewal_due, renew

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOOK_S: Final = 3600.0


class CertificateRenewal:
    """The running thread; the link reads the new certificate at its next connect. `close` ends it."""

    def __init__(self, folder: Path, log: Callable[[str], None], look_s: float = LOOK_S) -> None:
        self._folder, self._log, self._look_s = folder, log, look_s
        self._logged = ""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="certificate renewal", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread, after an answer that it waits for."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                if is_renewal_due(self._folder):
                    self._log(f"the certificate is renewed until {renew(self._folder):%Y-%m-%d}")
                    self._logged = ""
            except (PulseError, OSError) as error:
                if str(error) != self._logged:
                    self._logged = str(error)
                    self._log(f"the certificate cannot be renewed: {error}")
            self._closing.wait(self._look_s)
