"""Suites, certifications and certificates, with one folder of runs; implements `model.Certifier` beside it."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from drivers.errors import PulseError, RunLogError
from workbench.certify.order import CertificationJob
from workbench.certify.runner import SUITES, Certification
from workbench.folders import make_stamped
from workbench.session.actions import Failure
from workbench.window.certify import certificates
from workbench.window.certify.model import Suite
from workbench.window.certify.reading import SuiteReading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from workbench.window.certify.model import CertificationResult, PastLine, Work

FOLDER: Final = "certificates"
PARTS: Final = 4  # of a bench: three instruments and the device under test
Thing = TypeVar("Thing")


class BenchCertifier:
    """Certificates lie in `root / "certificates"`; without a root nothing can be certified."""

    def __init__(self, root: Path | None) -> None:
        self._root = root
        self._hand: ThreadPoolExecutor | None = None  # reads and writes files; its first call starts a thread
        self._asked: list[tuple[Future[Any], Callable[[Any], None], Callable[[Failure], None]]] = []

    def suites(self) -> Sequence[Suite]:
        homes = sorted(home for home in SUITES.iterdir() if (home / "__init__.py").exists())
        return [Suite(home.name, home) for home in homes]

    def why_not(self) -> str:
        return "" if self._root is not None else "This window has no folder for certificates; open it with --out."

    def emulated(self, bench: Path) -> bool:
        from drivers.benchfile import read_bench  # noqa: PLC0415  # slow to import, asked for on this page alone

        try:
            return len(read_bench(bench).emulated_parts) == PARTS
        except PulseError:
            return False

    def read(self, suite: Path, bench: Path) -> SuiteReading:
        return SuiteReading(suite.resolve(), bench.resolve())

    def start(self, suite: Path, bench: Path, only: Sequence[str]) -> Certification:
        if self._root is None:
            raise RunLogError(self.why_not())
        folder = make_stamped(self._root.resolve() / FOLDER, suite.stem)
        return Certification(suite.resolve(), CertificationJob(bench.resolve(), folder, tuple(only)))

    def off(self, work: Work) -> None:
        """Its guard sees its client gone and runs the safe sequence: nothing is quicker."""
        work.stop()
        if isinstance(work, Certification) and not work.done:
            os.kill(work.pid, getattr(signal, "SIGKILL", signal.SIGTERM))

    def write(
        self, work: Work, ready: Callable[[CertificationResult], None], failed: Callable[[Failure], None]
    ) -> None:
        self._ask(lambda: certificates.written(cast("Certification", work)), ready, failed)

    def past(self, ready: Callable[[Sequence[PastLine]], None], failed: Callable[[Failure], None]) -> None:
        root = self._root
        if root is not None:
            self._ask(lambda: certificates.listed(root / FOLDER), ready, failed)

    def open(
        self, folder: Path, ready: Callable[[CertificationResult], None], failed: Callable[[Failure], None]
    ) -> None:
        self._ask(lambda: certificates.opened(folder), ready, failed)

    def poll(self) -> None:
        for asked in [asked for asked in self._asked if asked[0].done()]:
            self._asked.remove(asked)
            future, ready, failed = asked
            error = future.exception()
            if error is None:
                ready(future.result())
            elif isinstance(error, PulseError):
                failed(Failure(sentence(error.sentence), sentence(error.hint)))
            else:
                failed(Failure(sentence(f"The certificate's files: {error}"), "Look into its folder."))

    def close(self) -> None:
        if self._hand is not None:
            self._hand.shutdown(wait=True)  # a certificate that is being written is written
            self._hand = None

    def _ask(
        self, work: Callable[[], Thing], ready: Callable[[Thing], None], failed: Callable[[Failure], None]
    ) -> None:
        if self._hand is None:
            self._hand = ThreadPoolExecutor(max_workers=1, thread_name_prefix="certificates")
        self._asked.append((self._hand.submit(work), ready, failed))


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return f"{text[0].upper()}{text[1:].rstrip('.')}." if text else ""
