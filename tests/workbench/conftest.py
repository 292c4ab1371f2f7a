"""Windows for tests: offscreen, over a fake session."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from pytestqt.qtbot import QtBot

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from tests.workbench.fake_session import FakeSession, running_session
from workbench.window.app import WindowStartup
from workbench.window.tasks.background import Background

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbench.window.layout import LayoutSettings
    from workbench.window.runs_page.runs_model import RecordedRuns
    from workbench.window.shell import Shell
    from workbench.window.window import Window

# ms, not 5 000: what never comes about fails all the same, a busy machine does not
QtBot.waitUntil.__kwdefaults__ = {**(QtBot.waitUntil.__kwdefaults__ or {}), "timeout": 30_000}


@dataclass
class Shown:
    """A window that stands, and what it shows."""

    window: Window
    shell: Shell
    session: FakeSession


_KEPT: dict[object, tuple[WindowStartup, Shown]] = {}  # the one of `one_window`


@pytest.fixture
def show(qtbot: QtBot) -> Iterator[Callable[..., Shown]]:
    """Open a window over a session; it is closed after the test."""
    openings: list[WindowStartup] = []
    _close_kept()  # it would draw beside this one

    def opened(
        session: FakeSession | None = None,
        past: Callable[[Background], RecordedRuns] | None = None,
        memory: LayoutSettings | None = None,
        size: tuple[int, int] | None = (1600, 900),
    ) -> Shown:
        chosen = session or running_session(past_s=12.0)
        openings.append(WindowStartup(lambda: chosen, theme="dark", past=past, memory=memory, size=size))
        return _await(openings[-1], chosen, qtbot)

    yield opened
    _close(openings)


def _await(opening: WindowStartup, session: FakeSession, qtbot: QtBot) -> Shown:
    """Return what a window shows once it is drawn."""
    qtbot.waitUntil(lambda: opening.shell.controller.session is not None)
    assert opening.window is not None
    shown = Shown(opening.window, opening.shell, session)
    qtbot.waitUntil(lambda: opening.stats.fps > 0 or session.ring is None or _drawn(shown))
    return shown


def _close(openings: list[WindowStartup]) -> None:
    for opening in openings:
        opening.shell.leave()
        opening.shell.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # nobody dresses it again for the next test


def _close_kept() -> None:
    if _KEPT:
        _close([opening for opening, _ in _KEPT.values()])
        _KEPT.clear()


@pytest.fixture(scope="module")
def _kept_until_the_module_ends() -> Iterator[None]:
    yield
    _close_kept()


@pytest.fixture
def one_window(_kept_until_the_module_ends: None, request: pytest.FixtureRequest, qtbot: QtBot) -> Callable[..., Shown]:
    """Open one window for all cases of a test: it costs more than most of them, and none may change another's."""

    def opened(size: tuple[int, int] = (1600, 900), past_s: float = 12.0) -> Shown:
        key = (request.node.path, request.function.__name__, size)
        if key not in _KEPT:
            _close_kept()
            session = running_session(past_s)
            opening = WindowStartup(lambda: session, theme="dark", size=size)
            _KEPT[key] = opening, _await(opening, session, qtbot)
        return _KEPT[key][1]

    return opened


def _drawn(shown: Shown) -> bool:
    return shown.window.bench.store is not None and bool(shown.window.bench.board.plots[0].header.entries)


@pytest.fixture
def background(qtbot: QtBot) -> Iterator[Background]:
    """The long work of a window that is not there."""
    made = Background()
    yield made
    made.close()


@pytest.fixture
def running(show: Callable[..., Shown]) -> Shown:
    """A window over a running bench."""
    return show()
