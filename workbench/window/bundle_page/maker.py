"""Work of the Bundle page in child processes; implements `model.Maker`.

A child process begins in the functions below: the imports that its work needs are made there and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.window.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.bundling.steps import Steps
    from workbench.session.actions import Failure
    from workbench.window.bundle_page.model import BuildRequest, BundleEntry, BundleFolders, FolderContents, NewKey
    from workbench.window.tasks.background import Background
    from workbench.window.tasks.task import Reporter

    Failed = Callable[[Failure], None]

READING: Final = "bundle lists"  # a queue of its own, so that a build does not delay the lists
BUILDING: Final = "bundle builds"
AT_CLOSE: Final = "The bundle that is being built or verified is cancelled."
_HINT: Final = "Check its folder."


def list_contents(_reporter: Reporter, places: BundleFolders) -> FolderContents:
    """List the contents of the folders."""
    from workbench.window.bundle_page import bundle_tasks, folder_scan  # noqa: PLC0415  # see above

    return folder_scan.scan_folders(places, verify=bundle_tasks.verify_without_replay)


def make_key(_reporter: Reporter, folder: Path, name: str) -> NewKey:
    """Make a key pair in `folder`."""
    from workbench.window.bundle_page import bundle_tasks  # noqa: PLC0415  # see above

    return bundle_tasks.make_key(folder, name)


def trust(_reporter: Reporter, public: Path, folder: Path) -> Path:
    """Copy a public key into `folder`."""
    from workbench.window.bundle_page import bundle_tasks  # noqa: PLC0415  # see above

    return bundle_tasks.trust(public, folder)


def build(reporter: Reporter, request: BuildRequest) -> BundleEntry:
    """Build one signed file; if cancelled between two steps, write nothing."""
    from workbench.window.bundle_page import bundle_tasks  # noqa: PLC0415  # see above

    return bundle_tasks.build_bundle(request, _steps(reporter))


def verify_bundle(reporter: Reporter, file: Path, folder: Path) -> BundleEntry:
    """Verify by the keys in `folder` and replay the golden vectors."""
    from workbench.window.bundle_page import bundle_tasks  # noqa: PLC0415  # see above

    return bundle_tasks.verify_file(file, folder, _steps(reporter))


def _steps(reporter: Reporter) -> Steps:
    def step(sentence: str, fraction: float) -> None:
        reporter.report(fraction, sentence)
        reporter.check()

    return step


class BundleMaker:
    """Runs two child processes: one for the lists, one for work that takes seconds."""

    def __init__(self, background: Background) -> None:
        self._background = background

    def list_contents(self, places: BundleFolders, ready: Callable[[FolderContents], None], failed: Failed) -> None:
        task = Task(
            "List runs, certificates and bundles",
            ready=ready,
            failed=failed,
            hint=_HINT,
            trouble="The folders cannot be read",
        )
        self._background.run(task, list_contents, places, queue=READING)

    def make_key(self, folder: Path, name: str, ready: Callable[[NewKey], None], failed: Failed) -> None:
        task = Task("Make a key", ready=ready, failed=failed, hint=_HINT, trouble="The key cannot be made")
        self._background.run(task, make_key, folder, name, queue=READING)

    def trust(self, public: Path, folder: Path, ready: Callable[[Path], None], failed: Failed) -> None:
        task = Task("Trust a key", ready=ready, failed=failed, hint=_HINT, trouble="The key cannot be trusted here")
        self._background.run(task, trust, public, folder, queue=READING)

    def build(
        self, request: BuildRequest, ready: Callable[[BundleEntry], None], failed: Failed, cancelled: Callable[[], None]
    ) -> Task[BundleEntry]:
        task = Task(
            f"Build {request.name}", ready=ready, failed=failed, cancelled=cancelled, hint=_HINT, at_close=AT_CLOSE,
            trouble="The bundle cannot be built",
        )  # fmt: skip
        return self._background.run(task, build, request, queue=BUILDING)

    def verify(
        self,
        file: Path,
        trust: Path,
        ready: Callable[[BundleEntry], None],
        failed: Failed,
        cancelled: Callable[[], None],
    ) -> Task[BundleEntry]:
        task = Task(
            f"Verify {file.name}", ready=ready, failed=failed, cancelled=cancelled, hint=_HINT, at_close=AT_CLOSE,
            trouble="The bundle cannot be verified",
        )  # fmt: skip
        return self._background.run(task, verify_bundle, file, trust, queue=BUILDING)

    def close(self) -> None:
        for queue in (BUILDING, READING):
            self._background.end(queue)
