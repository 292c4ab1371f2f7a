"""Controller of the Bundle page: the contents of the folders, and the one build or verification under way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from drivers.clock import monotonic
from workbench.session.actions import Failure
from workbench.window.bundle_page.model import (
    BUNDLES,
    KEYS,
    TRUST,
    BuildRequest,
    BundleEntry,
    BundleFolders,
    FolderContents,
    NewKey,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.window.bundle_page.model import Maker
    from workbench.window.session_controller import SessionController
    from workbench.window.tasks.task import Task

CANCELLING: Final = "The work is being cancelled."
BUSY: Final = "Another bundle is being built or verified."
NOT_BUSY: Final = "No bundle is being built or verified."
NO_ROOT: Final = "This window has no folder for runs; open it with --out."


class BundleController(QObject):
    """Runs one build or verification at a time; reads the lists in parallel."""

    listed = Signal()  # the contents of the folders were read
    changed = Signal()  # work begins or ends
    built = Signal(object)  # BundleEntry
    verified = Signal(object)  # BundleEntry
    broken = Signal(Failure)  # the work under way failed
    cancelled = Signal()  # the work under way was cancelled
    failed = Signal(Failure)

    def __init__(self, session_controller: SessionController, maker: Maker, root: Path | None) -> None:
        super().__init__()
        self._session_controller, self._maker = session_controller, maker
        self.root = None if root is None else root.resolve()
        self.trust = Path(TRUST) if self.root is None else self.root / TRUST
        self.contents = FolderContents()
        self.doing = ""  # a sentence
        self.wanted: Path | None = None  # the certificate to select once it is listed
        self.task: Task[BundleEntry] | None = None  # the work under way
        self._since_s = 0.0
        self._bench: Path | None = None  # chosen by hand
        self._more: tuple[Path, ...] = ()  # certificates in other folders
        self._verified_here: dict[Path, BundleEntry] = {}  # bundles that were built or verified here

    @property
    def bench(self) -> Path | None:
        """The bench file: the one chosen by hand, else that of the session."""
        if self._bench is not None:
            return self._bench
        session = self._session_controller.session
        return Path(session.bench.file).resolve() if session is not None and session.bench.file else None

    @property
    def bundles(self) -> dict[Path, BundleEntry]:
        """Bundles by file, newest first; a result of verification here replaces the entry of the list."""
        listed = {bundle.file: bundle for bundle in self.contents.bundles}
        elsewhere = {file: bundle for file, bundle in self._verified_here.items() if file not in listed}
        return elsewhere | {file: self._verified_here.get(file, bundle) for file, bundle in listed.items()}

    @property
    def since_s(self) -> float:
        """How long the work under way has taken."""
        return monotonic() - self._since_s

    def why_no_root(self) -> str:
        return NO_ROOT if self.root is None else ""

    def why_busy(self) -> str:
        return BUSY if self.doing else ""

    # ---- contents of the folders

    def refresh(self) -> None:
        """Read the folders again."""
        if self.root is not None:
            places = BundleFolders(self.root, self.bench, self.trust, self._more)
            self._maker.list_contents(places, self._on_listed, self.failed.emit)

    def _on_listed(self, contents: FolderContents) -> None:
        self.contents = contents
        self.listed.emit()

    def choose_bench(self, file: Path) -> None:
        """Choose another bench file; runs and certificates are compared with it."""
        self._bench = file.resolve()
        self.refresh()

    def choose_trust(self, folder: Path) -> None:
        """Choose another folder of public keys; verify every bundle again."""
        self.trust = folder
        self.forget()

    def forget(self) -> None:
        """Drop all earlier results, because other keys are trusted now."""
        self._verified_here.clear()
        self.refresh()

    def want_certificate(self, folder: Path) -> None:
        """Select the certificate to put into the bundle."""
        self.wanted = folder
        if folder not in self._more:
            self._more = (folder, *self._more)
        self.refresh()

    # ---- work

    def build(self, request: BuildRequest) -> None:
        """Build into the folder of bundles."""
        self._begin(f"{request.name} is being built.")
        self.task = self._maker.build(request, self._on_built, self._on_failed, self._on_cancelled)

    def verify(self, file: Path) -> None:
        """Verify by the trusted keys and replay the golden vectors; do nothing while other work is under way."""
        if not self.doing:
            self._begin(f"{file.name} is being verified.")
            self.task = self._maker.verify(file, self.trust, self._on_verified, self._on_failed, self._on_cancelled)

    def why_not_cancel(self) -> str:
        """Return why there is nothing to cancel."""
        if self.doing == CANCELLING:
            return CANCELLING
        return "" if self.task is not None and not self.task.done else NOT_BUSY

    def cancel(self) -> None:
        """Cancel the work under way; nothing is written."""
        if self.task is not None and not self.why_not_cancel():
            self.doing = CANCELLING
            self.task.cancel()

    def _begin(self, doing: str) -> None:
        self.doing, self._since_s, self.task = doing, monotonic(), None
        self.changed.emit()

    def _on_built(self, made: BundleEntry) -> None:
        self._end(made)
        self.built.emit(made)
        self.changed.emit()
        self.refresh()

    def _on_verified(self, bundle: BundleEntry) -> None:
        self._end(bundle)
        self.verified.emit(bundle)
        self.changed.emit()

    def _end(self, bundle: BundleEntry) -> None:
        self.doing = ""
        self._verified_here = {bundle.file: bundle} | {
            file: one for file, one in self._verified_here.items() if file != bundle.file
        }

    def _on_failed(self, failure: Failure) -> None:
        self.doing = ""
        self.broken.emit(failure)
        self.changed.emit()

    def _on_cancelled(self) -> None:
        self.doing = ""
        self.cancelled.emit()
        self.changed.emit()

    # ---- keys

    @property
    def bundles_folder(self) -> Path:
        return (self.root or Path()) / BUNDLES

    @property
    def keys_folder(self) -> Path:
        return (self.root or Path()) / KEYS

    def make_key(self, name: str, ready: Callable[[NewKey], None], failed: Callable[[Failure], None]) -> None:
        """Make a key pair in the folder of keys."""
        self._maker.make_key(self.keys_folder, name, ready, failed)

    def trust_key(self, public: Path, ready: Callable[[Path], None], failed: Callable[[Failure], None]) -> None:
        """Trust, on this machine, bundles that are signed with the matching private key."""
        self._maker.trust(public, self.trust, ready, failed)

    def close(self) -> None:
        """Cancel the work under way, because the window closes."""
        self._maker.close()
