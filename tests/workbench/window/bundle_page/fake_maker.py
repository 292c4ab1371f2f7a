"""A maker of bundles that answers when a test says so, folder contents to show, and a page over them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.certificates.results import Verdict
from workbench.session.actions import Failure
from workbench.window.bundle_page.maker import AT_CLOSE
from workbench.window.bundle_page.model import (
    BuildRequest,
    BundleEntry,
    BundleFolders,
    BundleSigner,
    CertificateEntry,
    FolderContents,
    NewKey,
    RunEntry,
)
from workbench.window.tasks.task import Task

if TYPE_CHECKING:
    from workbench.window.bundle_page.page import BundlePage
    from workbench.window.session_controller import SessionController
    from workbench.window.tasks.background import Background

ROOT = Path("/runs")
BENCH = Path("/benches/hil24.toml")
KEY = ROOT / "keys" / "release.key"
RUN = RunEntry("run-1", ROOT / "run-1", "2026-11-24 18:29", 18.0, "SIM", "hil24")
OTHER = RunEntry("run-0", ROOT / "run-0", "2026-11-23 10:00", 9.0, "HIL", "hil24", "It ran on another bench file.")
PASSED = CertificateEntry(ROOT / "certificates" / "a", "bms", "2026-11-24T18:30:00Z", "SIM", {Verdict.PASS: 6})
FAILED = replace(PASSED, folder=ROOT / "certificates" / "b", counts={Verdict.FAIL: 1}, why_not="It did not pass.")
GOOD = BundleEntry(
    ROOT / "bundles" / "hil24-7.bundle", "ab" * 32, "hil24", 7, "SIM", "2027-11-24T18:30:00Z",
    BundleSigner("cd" * 32, "release.pem"), verified=True,
    claims=(("run", "run-1"), ("lane", "estimator EKF"), ("lane", "twin SPMe")),
)  # fmt: skip
FOREIGN = replace(
    GOOD, file=ROOT / "bundles" / "foreign.bundle", signer=None, verified=False, key="unknown_signer",
    reason="It is signed by a key that is not trusted here.", hint="Trusted are release.pem.",
)  # fmt: skip
CHANGED = replace(FOREIGN, file=ROOT / "bundles" / "odd.bundle", key="changed", reason="It was changed.", hint="")
CONTENTS = FolderContents((RUN, OTHER), (PASSED, FAILED), (GOOD, FOREIGN, CHANGED), (KEY,), ("release.pem",), "hil 24")

Failed = Callable[[Failure], None]


class FakeMaker:
    """Keeps what was asked; `answer` hands over what a test wants to be true."""

    def __init__(self, background: Background | None = None) -> None:
        self._tasks: list[Task[Any]] = [] if background is None else background.tasks
        self.asked: deque[tuple[str, tuple[Any, ...], Callable[[Any], None], Failed]] = deque()
        self.closed = False

    def list_contents(self, places: BundleFolders, ready: Callable[[FolderContents], None], failed: Failed) -> None:
        self.asked.append(("look", (places,), ready, failed))

    def make_key(self, folder: Path, name: str, ready: Callable[[NewKey], None], failed: Failed) -> None:
        self.asked.append(("make_key", (folder, name), ready, failed))

    def trust(self, public: Path, folder: Path, ready: Callable[[Path], None], failed: Failed) -> None:
        self.asked.append(("trust", (public, folder), ready, failed))

    def build(
        self, request: BuildRequest, ready: Callable[[BundleEntry], None], failed: Failed, cancelled: Callable[[], None]
    ) -> Task[BundleEntry]:
        return self._begin("build", (request,), ready, failed, cancelled)

    def verify(
        self,
        file: Path,
        trust: Path,
        ready: Callable[[BundleEntry], None],
        failed: Failed,
        cancelled: Callable[[], None],
    ) -> Task[BundleEntry]:
        return self._begin("judge", (file, trust), ready, failed, cancelled)

    def _begin(
        self,
        name: str,
        given: tuple[Any, ...],
        ready: Callable[[BundleEntry], None],
        failed: Failed,
        cancelled: Callable[[], None],
    ) -> Task[BundleEntry]:
        task = Task(name, ready=ready, failed=failed, cancelled=cancelled, at_close=AT_CLOSE)
        task.begin()
        self._tasks.append(task)
        self.asked.append((name, given, task.finish, task.fail))
        return task

    def close(self) -> None:
        self.closed = True

    def pending(self, name: str) -> tuple[Any, ...]:
        return next(given for asked, given, _, _ in self.asked if asked == name)

    def answer(self, name: str, value: object) -> None:
        """To all who asked for `name`, oldest first."""
        waiting = [asked for asked in self.asked if asked[0] == name]
        assert waiting, f"nobody asked for {name}"
        for asked in waiting:
            self.asked.remove(asked)
            asked[3](value) if isinstance(value, Failure) else asked[2](value)


class Kit:
    """A page, its session controller, its maker."""

    def __init__(self, page: BundlePage, session_controller: SessionController, maker: FakeMaker) -> None:
        self.page, self.session_controller, self.maker = page, session_controller, maker

    def fill(self, contents: FolderContents = CONTENTS) -> None:
        self.page.controller.choose_bench(BENCH)
        self.maker.answer("look", contents)
