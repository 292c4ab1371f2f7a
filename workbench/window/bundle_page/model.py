"""Types of the Bundle page for runs, certificates, keys and bundles, without Qt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence  # noqa: TC003  # fields of records name them
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  # a field of a record names it
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from workbench.certificates.results import Verdict
    from workbench.session.actions import Failure
    from workbench.window.tasks.task import Task

BUNDLES, KEYS, TRUST = "bundles", "keys", "trust"  # folders beside the runs


@dataclass(frozen=True, slots=True)
class RunEntry:
    """A recorded run; `why_not` is a sentence why no bundle can be built from it."""

    name: str
    folder: Path
    started: str
    duration_s: float | None
    evidence: str
    bench: str
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class CertificateEntry:
    """A certificate of the bench file; `why_not` is a sentence why it cannot be put into the bundle."""

    folder: Path
    suite: str
    made: str
    evidence: str
    counts: Mapping[Verdict, int]
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class BundleSigner:
    """The trusted key that signed a bundle: its id, and the name of its file."""

    key_id: str
    name: str


@dataclass(frozen=True, slots=True)
class BundleEntry:
    """The verification of a bundle file: verified, or why not as a sentence; `claims` is what the file claims.

    `key` is the rule that it broke; `golden` is empty if its vectors were not replayed.
    """

    file: Path
    sha256: str = ""
    name: str = ""
    serial: int = 0
    evidence: str = ""
    expires: str = ""
    signer: BundleSigner | None = None  # of a verified bundle
    verified: bool = False
    key: str = ""
    reason: str = ""
    hint: str = ""
    golden: str = ""
    claims: tuple[tuple[str, str], ...] = ()  # head and text of each fact
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FolderContents:
    """Contents of the folders; `bench_trouble` is a sentence why the bench file cannot be used."""

    runs: Sequence[RunEntry] = ()
    certificates: Sequence[CertificateEntry] = ()
    bundles: Sequence[BundleEntry] = ()
    private_keys: Sequence[Path] = ()
    trusted: Sequence[str] = ()
    bench_name: str = ""
    bench_trouble: str = ""


@dataclass(frozen=True, slots=True)
class BundleFolders:
    """Folders to scan; `more` are certificates in other folders."""

    root: Path
    bench: Path | None
    trust: Path
    more: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What to build into `folder` and verify by the keys in `trust`; without a serial the time gives one.

    `accept`: why deviations of the evidence are accepted, empty where they are not.
    """

    run: Path
    bench: Path
    private: Path
    certificate: Path | None
    name: str
    serial: int | None
    days: int
    folder: Path
    trust: Path
    accept: str = ""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A new key pair, and its id, which openssl prints too."""

    private: Path
    public: Path
    key_id: str


class Maker(Protocol):
    """Builds and verifies bundles outside the window's thread; calls exactly one of the callbacks."""

    def list_contents(
        self, places: BundleFolders, ready: Callable[[FolderContents], None], failed: Callable[[Failure], None]
    ) -> None: ...

    def make_key(
        self, folder: Path, name: str, ready: Callable[[NewKey], None], failed: Callable[[Failure], None]
    ) -> None: ...

    def trust(
        self, public: Path, folder: Path, ready: Callable[[Path], None], failed: Callable[[Failure], None]
    ) -> None:
        """Copy a public key into a trust folder."""
        ...

    def build(
        self,
        request: BuildRequest,
        ready: Callable[[BundleEntry], None],
        failed: Callable[[Failure], None],
        cancelled: Callable[[], None],
    ) -> Task[BundleEntry]: ...

    def verify(
        self,
        file: Path,
        trust: Path,
        ready: Callable[[BundleEntry], None],
        failed: Callable[[Failure], None],
        cancelled: Callable[[], None],
    ) -> Task[BundleEntry]:
        """Verify by the keys in `trust` and replay the golden vectors."""
        ...

    def close(self) -> None:
        """Cancel the work under way; return soon."""
        ...
