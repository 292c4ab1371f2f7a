from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QWidget

from control.state import OutputState
from drivers.event import Level
from tests.workbench.fake_session import FakeSession
from tests.workbench.hands import (
    CTRL,
    SHIFT,
    draw,
    front,
    in_front,
    key,
    press,
    write,
)
from workbench.session.actions import Failure
from workbench.window.command_palette import CommandPalette
from workbench.window.layout import LayoutSettings
from workbench.window.rail import PAGES
from workbench.window.widgets.dialogs import OFF_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown


def test_palette_finds_and_runs_every_action(running: Shown, qtbot: QtBot) -> None:
    press(running, Qt.Key.Key_P, CTRL | SHIFT)
    qtbot.waitUntil(in_front)
    palette = front(CommandPalette)
    assert palette.list.count() == len(running.window.commands.list())
    theme = running.window.commands.commands["theme"].words()
    write(palette.text, theme.lower())
    assert palette.list.currentItem().text() == theme
    key(palette.text, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: running.shell.theme.name == "light")


def test_palette_shows_shortcuts_and_why_an_action_is_grey(running: Shown) -> None:
    running.window.show_palette()
    palette = front(CommandPalette)
    leave, off = (running.window.commands.commands[name] for name in ("leave replay", "outputs off"))
    write(palette.text, leave.words())
    assert palette.list.currentItem().toolTip() == leave.why_not() != ""
    palette.text.clear()
    write(palette.text, off.words())
    assert palette.list.currentItem().data(Qt.ItemDataRole.UserRole + 1) == off.keys == OFF_KEYS
    palette.close()


def test_no_two_commands_share_their_keys(running: Shown) -> None:
    keys = [command.keys for command in running.window.commands.list() if command.keys]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("number", range(1, 9))
def test_number_keys_open_the_pages(one_window: Callable[..., Shown], number: int) -> None:
    running = one_window()
    press(running, Qt.Key(Qt.Key.Key_0 + number), CTRL)
    assert running.shell.rail.buttons[running.shell.page].isChecked()
    assert running.shell.page == PAGES[number - 1]


def test_theme_switches_while_it_runs(running: Shown) -> None:
    dark = running.shell.grab().toImage().pixelColor(700, 300)
    press(running, Qt.Key.Key_T, CTRL)
    running.window.bench.board.frame()
    light = running.shell.grab().toImage().pixelColor(700, 300)
    assert dark.lightnessF() < 0.5 < light.lightnessF()


def test_layout_comes_back_and_can_be_reset(show: Callable[..., Shown], tmp_path: Path, qtbot: QtBot) -> None:
    first = show(FakeSession(past_s=2.0), memory=LayoutSettings(tmp_path / "layout.ini"))
    draw(first, qtbot, 2)
    first.window.bench.docks["faults"].hide()
    first.window.bench.docks["gate"].setFloating(True)
    first.shell.close()
    second = show(FakeSession(past_s=2.0), memory=LayoutSettings(tmp_path / "layout.ini"))
    draw(second, qtbot, 2)
    assert second.window.bench.docks["faults"].isHidden()
    assert second.window.bench.docks["gate"].isFloating()
    second.window.commands.run("reset layout")
    assert not second.window.bench.docks["faults"].isHidden()
    assert not second.window.bench.docks["gate"].isFloating()


def test_everything_that_can_have_the_focus_has_a_name(running: Shown) -> None:
    nameless = [
        widget
        for widget in running.shell.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible()
        if not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
        if not widget.objectName().startswith("qt_")
    ]
    assert nameless == []


def _reads(shown: Shown, output: OutputState) -> bool:
    return shown.shell.toolbar.badge.word.text() == output.value


def test_state_words_follow_the_outputs(running: Shown, qtbot: QtBot) -> None:
    for output in OutputState:
        running.session.status = dataclasses.replace(running.session.status, output=output)
        qtbot.waitUntil(partial(_reads, running, output))


def test_engine_that_restarts_gets_new_plots(running: Shown, qtbot: QtBot) -> None:
    old = running.window.bench.store
    running.session.disconnect()
    running.session.connect()
    qtbot.waitUntil(lambda: running.window.bench.store is not old)
    qtbot.waitUntil(lambda: bool(running.window.bench.board.plots[0].header.entries))


def test_closing_the_window_closes_the_session(running: Shown) -> None:
    running.shell.leave()
    assert running.session.closed


def test_window_fits_a_laptop_whatever_it_has_to_say(show: Callable[..., Shown], qtbot: QtBot) -> None:
    shown = show(size=(1366, 768))
    words = "not granted: the loop keeps time as well as an ordinary process can"
    shown.session.change(run_name="2026-11-23_151200_a_rather_long_bench_name", realtime=False, realtime_words=words)
    shown.session.note(Level.ALARM, "guard", "a sentence that goes on and on " * 8)
    shown.window.notices.failure.show_failure(Failure("why " * 60, "what next " * 40, "details"))
    draw(shown, qtbot, 45)
    assert shown.shell.minimumSizeHint().width() <= 1366
    assert shown.shell.minimumSizeHint().height() <= 768
    assert (shown.shell.width(), shown.shell.height()) == (1366, 768)


def test_the_pace_is_told_truly_while_plots_are_hidden(running: Shown, qtbot: QtBot) -> None:
    paces: list[float] = []
    running.window.show_page("Twin")
    for _ in range(30):
        draw(running, qtbot, 3)
        paces.append(running.shell.stats.fps)
    assert max(paces) < 100.0
    assert paces[-1] == 0.0
