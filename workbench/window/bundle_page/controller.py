"""What the Bundle page works on: what lies there, and the one build or verification that is under way."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

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

CANCELLING: Final = "It is being cancelled."
NO_ROOT: Final = "This window has no folder for runs; open it with --out."


class BundleController(QObject):
    """One build or verification at a time; the lists are read beside it."""

    listed = Signal()  # the shelf is another one
    changed = Signal()  # something begins or ends
    built = Signal(object)  # Judged
    verified = Signal(object)  # Judged
    broken = Signal(Failure)  # what was under way came to nothing
    cancelled = Signal()  # what was under way was cancelled
    failed = Signal(Failure)

    def __init__(self, session_controller: SessionController, maker: Maker, root: Path | None) -> None:
        super().__init__()
        self._session_controller, self._maker = session_controller, maker
        self.root = None if root is None else root.resolve()
        self.trust = Path(TRUST) if self.root is None else self.root / TRUST
        self.contents = FolderContents()
        self.doing = ""  # a sentence
        self.wanted: Path | None = None  # the certificate to choose once it is listed
        self.task: Task[BundleEntry] | None = None  # what is under way
        self._since_s = 0.0
        self._bench: Path | None = None  # chosen by hand
        self._more: tuple[Path, ...] = ()  # certificates that lie elsewhere
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
        """By file, newest first; what was found by verifying stands above what the list says."""
        listed = {judged.file: judged for judged in self.contents.bundles}
        elsewhere = {file: judged for file, judged in self._verified_here.items() if file not in listed}
        return elsewhere | {file: self._verified_here.get(file, judged) for file, judged in listed.items()}

    @property
    def since_s(self) -> float:
        """How long what is under way has taken."""
        return time.monotonic() - self._since_s

    def why_no_root(self) -> str:
        return NO_ROOT if self.root is None else ""

    def why_busy(self) -> str:
        return "Another bundle is being worked on." if self.doing else ""

    # ---- what lies there

    def refresh(self) -> None:
        """Look at the folders again."""
        if self.root is not None:
            places = BundleFolders(self.root, self.bench, self.trust, self._more)
            self._maker.list_contents(places, self._on_listed, self.failed.emit)

    def _on_listed(self, shelf: FolderContents) -> None:
        self.contents = shelf
        self.listed.emit()

    def choose_bench(self, file: Path) -> None:
        """Another bench file; runs and certificates are held against it."""
        self._bench = file.resolve()
        self.refresh()

    def choose_trust(self, folder: Path) -> None:
        """Another folder of public keys; every bundle is judged anew."""
        self.trust = folder
        self.forget()

    def forget(self) -> None:
        """Other keys are trusted: nothing that was found before holds."""
        self._verified_here.clear()
        self.refresh()

    def want_certificate(self, folder: Path) -> None:
        """The one that shall go along."""
        self.wanted = folder
        if folder not in self._more:
            self._more = (folder, *self._more)
        self.refresh()

    # ---- what is done

    def build(self, wish: BuildRequest) -> None:
        """Into the folder of bundles."""
        self._begin(f"{wish.name} is being built.")
        self.task = self._maker.build(wish, self._on_built, self._on_failed, self._on_cancelled)

    def verify(self, file: Path) -> None:
        """By the trusted keys, golden vectors replayed; nothing while something is under way."""
        if not self.doing:
            self._begin(f"{file.name} is being verified.")
            self.task = self._maker.verify(file, self.trust, self._on_verified, self._on_failed, self._on_cancelled)

    def why_not_cancel(self) -> str:
        """Why there is nothing to cancel."""
        if self.doing == CANCELLING:
            return CANCELLING
        return "" if self.task is not None and not self.task.done else "No bundle is being worked on."

    def cancel(self) -> None:
        """Give up what is under way; nothing is written."""
        if self.task is not None and not self.why_not_cancel():
            self.doing = CANCELLING
            self.task.cancel()

    def _begin(self, doing: str) -> None:
        self.doing, self._since_s, self.task = doing, time.monotonic(), None
        self.changed.emit()

    def _on_built(self, made: BundleEntry) -> None:
        self._end(made)
        self.built.emit(made)
        self.changed.emit()
        self.refresh()

    def _on_verified(self, judged: BundleEntry) -> None:
        self._end(judged)
        self.verified.emit(judged)
        self.changed.emit()

    def _end(self, judged: BundleEntry) -> None:
        self.doing = ""
        self._verified_here = {judged.file: judged} | {
            file: one for file, one in self._verified_here.items() if file != judged.file
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
        """A pair in the folder of keys."""
        self._maker.make_key(self.keys_folder, name, ready, failed)

    def trust_key(self, public: Path, ready: Callable[[Path], None], failed: Callable[[Failure], None]) -> None:
        """Believe what is signed with its other half, on this machine."""
        self._maker.trust(public, self.trust, ready, failed)

    def close(self) -> None:
        """The window goes: what is under way is given up."""
        self._maker.close()
