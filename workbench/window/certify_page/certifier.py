"""Suites, certifications and certificates over one folder of runs; implements `model.Certifier`."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final, cast

from drivers.errors import RunLogError
from workbench.certificates.suites import SUITES, list_shipped
from workbench.certify.job import CertificationJob
from workbench.certify.runner import Certification
from workbench.certify.suite_loader import SuiteLoadProcess
from workbench.run_folders import make_stamped
from workbench.window.certify_page import certificates
from workbench.window.certify_page.model import Suite

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from workbench.window.certify_page.model import CertificateLine, CertificationResult, RunningCertification

FOLDER: Final = "certificates"
PARTS: Final = 4  # of a bench: three instruments and the device under test


class BenchCertifier:
    """Keeps certificates in `root / "certificates"`; without a root nothing can be certified."""

    def __init__(self, root: Path | None) -> None:
        self._root = root

    def suites(self) -> Sequence[Suite]:
        return [Suite(name, SUITES / name) for name in list_shipped()]

    def why_not(self) -> str:
        return "" if self._root is not None else "This window has no folder for certificates; open it with --out."

    def is_emulated(self, bench: Path) -> bool:
        from drivers.benchfile import read_bench  # noqa: PLC0415  # slow to import, needed on this page alone

        return len(read_bench(bench).emulated_parts) == PARTS

    def read(self, suite: Path, bench: Path) -> SuiteLoadProcess:
        return SuiteLoadProcess(suite.resolve(), bench.resolve())

    def start(self, suite: Path, bench: Path, only: Sequence[str]) -> Certification:
        if self._root is None:
            raise RunLogError(self.why_not())
        self.is_emulated(bench)  # report an error in the bench file before anything starts
        folder = make_stamped(self._root.resolve() / FOLDER, suite.stem)
        return Certification(suite.resolve(), CertificationJob(bench.resolve(), folder, tuple(only)))

    def switch_off(self, work: RunningCertification) -> None:
        """Kill the certification: its guard sees the client gone and runs the safe sequence; nothing is quicker."""
        work.stop()
        if isinstance(work, Certification) and not work.done:
            os.kill(work.pid, getattr(signal, "SIGKILL", signal.SIGTERM))

    def write(self, work: RunningCertification) -> CertificationResult:
        return certificates.write_certificate(cast("Certification", work))

    def list_certificates(self) -> Sequence[CertificateLine]:
        return [] if self._root is None else certificates.list_certificates(self._root / FOLDER)

    def open(self, folder: Path) -> CertificationResult:
        return certificates.read_result(folder)
