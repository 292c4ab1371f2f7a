"""The Certify page over the replay of a recorded certification."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from tests.workbench.fake_session import FakeSession
from tests.workbench.hands import click
from workbench.window.certify_page.case_tree_model import NAME
from workbench.window.certify_page.controller import CertifyStage
from workbench.window.runs_page.run_library import RunLibrary

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown
    from tests.workbench.window.certify_page.fake_certifier import FakeCertifier
    from workbench.window.certify_page.page import CertifyPage

SLOW_MS = 30_000
CHECKED, UNCHECKED, PARTLY = Qt.CheckState.Checked, Qt.CheckState.Unchecked, Qt.CheckState.PartiallyChecked


class Scene:
    """The page of a window, and what stands behind it."""

    def __init__(self, shown: Shown, fake: FakeCertifier, qtbot: QtBot) -> None:
        self.shown, self.fake, self.qtbot = shown, fake, qtbot
        self.page: CertifyPage = shown.window.certify
        self.controller = self.page.controller

    def until(self, holds: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(holds()), timeout=SLOW_MS)

    def certify(self, pace: int = 1) -> None:
        self.fake.pace = pace
        click(self.page.bar.start)

    def finish(self) -> None:
        self.certify(pace=50)
        self.until(lambda: self.controller.result is not None)

    def tree(self, row: int, column: int = NAME, below: int | None = None) -> object:
        model = self.page.picker.model
        index = model.index(row, column) if below is None else model.index(below, column, model.index(row, NAME))
        return index.data()

    def tick(self, row: int, below: int | None = None) -> Qt.CheckState:
        model = self.page.picker.model
        index = model.index(row, NAME) if below is None else model.index(below, NAME, model.index(row, NAME))
        return Qt.CheckState(index.data(Qt.ItemDataRole.CheckStateRole))


def give(answer: object, *_: object) -> object:
    """What a stand-in answers to everything."""
    return answer


def open_scene(show: Callable[..., Shown], fake: FakeCertifier, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """The page in front, its suite read, the bench not connected."""
    monkeypatch.setattr("workbench.window.window.BenchCertifier", partial(give, fake))
    shown = show(FakeSession(past_s=2.0), past=partial(RunLibrary, fake.root))
    shown.window.show_page("Certify")
    made = Scene(shown, fake, qtbot)
    made.until(lambda: made.controller.cases and made.controller.stage is CertifyStage.IDLE)
    return made
