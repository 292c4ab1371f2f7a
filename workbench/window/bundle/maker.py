"""What the Bundle page has done in child processes; implements `model.Maker`.

The functions below are where a child begins: what the duties need is imported there, and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.window.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.bundling.steps import Steps
    from workbench.session.actions import Failure
    from workbench.window.background import Background
    from workbench.window.bundle.model import Judged, NewKey, Places, Shelf, Wish
    from workbench.window.task import Reporter

    Failed = Callable[[Failure], None]

READING: Final = "bundle lists"  # a build does not hold up the lists
BUILDING: Final = "bundle builds"
AT_CLOSE: Final = "The bundle that is worked on is given up."
_HINT: Final = "Look into its folder."


def look(_reporter: Reporter, places: Places) -> Shelf:
    """What lies there."""
    from workbench.window.bundle import duties, shelving  # noqa: PLC0415  # see above

    return shelving.look(places, judged=duties.shelved)


def make_key(_reporter: Reporter, folder: Path, name: str) -> NewKey:
    """A pair in `folder`."""
    from workbench.window.bundle import duties  # noqa: PLC0415  # see above

    return duties.make_key(folder, name)


def trust(_reporter: Reporter, public: Path, folder: Path) -> Path:
    """Copy a public key into `folder`."""
    from workbench.window.bundle import duties  # noqa: PLC0415  # see above

    return duties.trust(public, folder)


def build(reporter: Reporter, wish: Wish) -> Judged:
    """One signed file; cancelled between two steps, nothing is written."""
    from workbench.window.bundle import duties  # noqa: PLC0415  # see above

    return duties.build(wish, _steps(reporter))


def judge(reporter: Reporter, file: Path, folder: Path) -> Judged:
    """By the keys in `folder`, golden vectors replayed."""
    from workbench.window.bundle import duties  # noqa: PLC0415  # see above

    return duties.judge(file, folder, _steps(reporter))


def _steps(reporter: Reporter) -> Steps:
    def step(sentence: str, fraction: float) -> None:
        reporter.report(fraction, sentence)
        reporter.check()

    return step


class BundleMaker:
    """Two child processes, one for the lists and one for what takes seconds."""

    def __init__(self, background: Background) -> None:
        self._background = background

    def look(self, places: Places, ready: Callable[[Shelf], None], failed: Failed) -> None:
        task = Task(
            "Look at the folders", ready=ready, failed=failed, hint=_HINT, trouble="The folders cannot be looked at"
        )
        self._background.run(task, look, places, queue=READING)

    def make_key(self, folder: Path, name: str, ready: Callable[[NewKey], None], failed: Failed) -> None:
        task = Task("Make a key", ready=ready, failed=failed, hint=_HINT, trouble="The key cannot be made")
        self._background.run(task, make_key, folder, name, queue=READING)

    def trust(self, public: Path, folder: Path, ready: Callable[[Path], None], failed: Failed) -> None:
        task = Task("Trust a key", ready=ready, failed=failed, hint=_HINT, trouble="The key cannot be trusted here")
        self._background.run(task, trust, public, folder, queue=READING)

    def build(
        self, wish: Wish, ready: Callable[[Judged], None], failed: Failed, cancelled: Callable[[], None]
    ) -> Task[Judged]:
        task = Task(
            f"Build {wish.name}", ready=ready, failed=failed, cancelled=cancelled, hint=_HINT, at_close=AT_CLOSE,
            trouble="The bundle cannot be built",
        )  # fmt: skip
        return self._background.run(task, build, wish, queue=BUILDING)

    def judge(
        self, file: Path, trust: Path, ready: Callable[[Judged], None], failed: Failed, cancelled: Callable[[], None]
    ) -> Task[Judged]:
        task = Task(
            f"Verify {file.name}", ready=ready, failed=failed, cancelled=cancelled, hint=_HINT, at_close=AT_CLOSE,
            trouble="The bundle cannot be judged",
        )  # fmt: skip
        return self._background.run(task, judge, file, trust, queue=BUILDING)

    def close(self) -> None:
        for queue in (BUILDING, READING):
            self._background.end(queue)
