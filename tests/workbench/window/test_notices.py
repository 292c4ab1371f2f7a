"""Messages and work: all of it is shown, it moves, it pushes nothing, and a broken bench file speaks for itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QRect

from tests.workbench.fake_session import FakeSession
from tests.workbench.hands import click, draw
from workbench.session.actions import Failure, PendingAction
from workbench.window.notification_bar import MOST_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget
    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown


def place(widget: QWidget) -> QRect:
    """Where it lies in its window."""
    return QRect(widget.mapTo(widget.window(), QPoint(0, 0)), widget.size())


@pytest.mark.parametrize("page", ["Bench", "Certify", "Runs", "Bundle", "Fleet"])
@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080)], ids=str)
def test_messages_and_work_move_nothing(
    one_window: Callable[..., Shown], qtbot: QtBot, size: tuple[int, int], page: str
) -> None:
    shown = one_window(size=size)
    shown.window.show_page(page)
    parts = [shown.shell.pages[page], shown.shell.toolbar, shown.shell.line, shown.window.bench.board.plots[0]]
    before = [place(part) for part in parts]
    notices = shown.window.notices
    assert not notices.isVisible()
    notices.failure.show_failure(Failure("The supply did not answer.", "Switch it on.", "details\n" * 9))
    click(notices.failure.fold)
    works = [PendingAction(f"Work {n}") for n in range(5)]
    shown.shell.controller.pending += works
    qtbot.waitUntil(notices.work.isVisible)
    draw(shown, qtbot)
    assert [place(part) for part in parts] == before
    assert place(shown.shell.stack).contains(place(notices))
    assert place(notices).bottom() == place(shown.shell.stack).bottom()
    assert notices.failure.isVisible()
    notices.failure.hide()
    for work in works:
        work.done = True
    qtbot.waitUntil(lambda: not notices.isVisible())


def test_every_work_is_shown_with_its_own_cancel(running: Shown, qtbot: QtBot) -> None:
    cancelled: list[str] = []
    works = [PendingAction(f"Work {n}", cancel=lambda n=n: cancelled.append(f"Work {n}")) for n in range(MOST_ROWS + 2)]
    works[0].cancel, works[0].why_no_cancel = None, "The run is being sealed."
    running.shell.controller.pending += works
    bar = running.window.notices.work
    qtbot.waitUntil(bar.isVisible)
    assert [row.sentence.text() for row in bar.rows] == [work.title for work in works[:MOST_ROWS]]
    assert bar.more.text() == "and 2 more"
    assert bar.rows[0].cancel.toolTip() == "The run is being sealed."
    assert not bar.rows[0].cancel.isEnabled()
    click(bar.rows[2].cancel)
    assert cancelled == ["Work 2"]
    running.window.commands.run("cancel work")  # the oldest that can be cancelled
    assert cancelled == ["Work 2", "Work 1"]
    for work in works:
        work.done = True
    qtbot.waitUntil(lambda: not running.window.notices.isVisible())


def test_work_without_a_known_fraction_moves(running: Shown, qtbot: QtBot) -> None:
    running.shell.controller.pending.append(PendingAction("Open run"))
    bar = running.window.notices.work.bar
    qtbot.waitUntil(bar.isVisible)
    first = bar.grab().toImage()
    qtbot.waitUntil(lambda: bar.grab().toImage() != first)


def test_time_left_is_estimated_where_the_work_does_not_know_it(running: Shown, qtbot: QtBot) -> None:
    work = PendingAction("Connect", fraction=0.5)
    running.shell.controller.pending.append(work)
    remaining = running.window.notices.work.remaining
    qtbot.waitUntil(lambda: remaining.text().endswith("left"))
    work.fraction = None
    qtbot.waitUntil(lambda: remaining.text().startswith("for "))


def test_a_broken_bench_file_replaces_the_message_before_it_and_greys_connect(
    show: Callable[..., Shown], qtbot: QtBot
) -> None:
    shown = show(FakeSession(past_s=2.0))
    failure, connect = shown.window.notices.failure, shown.shell.toolbar.connect_
    failure.show_failure(Failure("bad_limit.toml:63 is not within the protection"))
    fresh = FakeSession(past_s=2.0)

    def open_fresh(_: Path) -> FakeSession:
        return fresh

    shown.window._open_bench = open_fresh  # pyright: ignore[reportPrivateUsage]
    shown.window.open_bench(Path("bad_key.toml"))
    assert failure.isHidden()
    fresh.bench_error = Failure("bad_key.toml:102 gate.hold_ticks is missing", "declare it")
    fresh.change()
    qtbot.waitUntil(failure.isVisible)
    assert failure.sentence.text() == fresh.bench_error.sentence
    assert not connect.isEnabled()
    assert connect.toolTip()
    assert not shown.window.bench.empty.button.isEnabled()
    failure.hide()
    fresh.change(run_name="another status")
    draw(shown, qtbot)
    assert failure.isHidden()


def test_opening_a_bench_is_work_until_its_file_is_read(show: Callable[..., Shown], qtbot: QtBot) -> None:
    session = FakeSession(past_s=2.0)
    declared = session.bench
    session.bench = type(declared)(declared.name, declared.file, "", "", attended=True, cells=0)
    shown = show(session)
    bar = shown.window.notices.work
    qtbot.waitUntil(bar.isVisible)
    assert bar.sentence.text() == "Open hil24.toml"
    session.bench = declared
    qtbot.waitUntil(lambda: not bar.isVisible())
