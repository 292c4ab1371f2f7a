"""Types of the Certify page for suites, certifications and certificates, without Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # noqa: TC003  # fields of records name them
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  # a field of a record names it
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from workbench.certificates.results import Verdict
    from workbench.certify.runner import CaseRun


NOT_PASSED: Final = "The certification did not pass; a bundle takes only a certificate that passed."


@dataclass(frozen=True, slots=True)
class Suite:
    """A folder or file of cases; `name` is its display name."""

    name: str
    path: Path


@dataclass(frozen=True)
class CertificationResult:
    """A finished certification; `written` once its certificate and report are in `folder`."""

    folder: Path
    suite: str
    made: str
    evidence: str
    passed: bool
    counts: Mapping[Verdict, int]
    cases: Sequence[CaseRun]
    trouble: Sequence[str] = ()
    written: bool = True
    not_judged: int = 0

    @property
    def report(self) -> Path:
        return self.folder / "report.html"


@dataclass(frozen=True, slots=True)
class CertificateLine:
    """An earlier certificate in the list; `detail` states what is wrong with one that cannot be read."""

    folder: Path
    suite: str = ""
    made: str = ""
    evidence: str = ""
    passed: bool = False
    counts: Mapping[Verdict, int] | None = None
    detail: str = ""


class SuiteLoader(Protocol):
    """A suite that is being read: which cases it has for a bench."""

    @property
    def cases(self) -> Sequence[CaseRun]: ...

    @property
    def broken(self) -> Sequence[str]: ...

    @property
    def done(self) -> bool: ...

    def poll(self) -> object: ...

    def close(self) -> None:
        """Stop reading; return soon."""
        ...


class RunningCertification(Protocol):
    """A certification that runs; implemented by `workbench.certify.runner.Certification`."""

    @property
    def cases(self) -> Sequence[CaseRun]: ...

    @property
    def broken(self) -> Sequence[str]: ...

    @property
    def done(self) -> bool: ...

    @property
    def stopped(self) -> bool: ...

    @property
    def now(self) -> CaseRun | None: ...

    @property
    def left_s(self) -> float | None: ...

    def poll(self) -> object: ...

    def stop(self) -> None: ...

    def close(self) -> None:
        """Stop and wait."""
        ...


class Certifier(Protocol):
    """Source of suites, certifications and certificates.

    `write`, `list_certificates` and `open` wait for files: call them in a thread.
    """

    def suites(self) -> Sequence[Suite]:
        """Return the suites that come with the workbench."""
        ...

    def why_not(self) -> str:
        """Return why nothing can be certified here; empty if it can."""
        ...

    def is_emulated(self, bench: Path) -> bool:
        """Whether a bench file declares emulated instruments alone; raise `BenchFileError` if it cannot be read."""
        ...

    def read(self, suite: Path, bench: Path) -> SuiteLoader: ...

    def start(self, suite: Path, bench: Path, only: Sequence[str]) -> RunningCertification:
        """Start a certification in a new folder; raise `PulseError` or `OSError`."""
        ...

    def switch_off(self, work: RunningCertification) -> None:
        """Let the guard make the bench safe at once."""
        ...

    def write(self, work: RunningCertification) -> CertificationResult:
        """Write certificate and report of a finished certification."""
        ...

    def list_certificates(self) -> Sequence[CertificateLine]:
        """List earlier certificates, newest first."""
        ...

    def open(self, folder: Path) -> CertificationResult:
        """Open an earlier certificate; raise `RunLogError`."""
        ...
