"""What the device under test does is told in the header and on the plots, at its time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from control.state import BenchState, OutputState
from drivers.event import Event, EventKind, EventRecord, Level
from tests.workbench.hands import draw
from workbench.session.status import DeviceInfo
from workbench.window.plots.markers import EventMarkers

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown

FAULT = DeviceInfo("FAULT", "CELL_OVERVOLTAGE", 7)


def record(number: int, t_s: float, kind: str, level: Level = Level.ALARM) -> EventRecord:
    return EventRecord(number, t_s, time.time(), Event(level, "BMS", "fault CELL_OVERVOLTAGE, cell 7", {"kind": kind}))


@pytest.mark.parametrize("size", [(1366, 768), (1600, 900)], ids=str)
def test_header_names_the_fault_of_the_device_and_its_cell(
    show: Callable[..., Shown], qtbot: QtBot, size: tuple[int, int]
) -> None:
    shown = show(size=size)
    shown.session.change(device=DeviceInfo("NORMAL"))
    line = shown.shell.toolbar.state_indicator.loop
    qtbot.waitUntil(lambda: line.accessibleDescription() == "BMS: NORMAL")
    shown.session.change(device=FAULT)
    qtbot.waitUntil(lambda: "BMS: FAULT, CELL_OVERVOLTAGE, cell 7" in line.text())
    shown.session.trip("cell_07/voltage 5.100 V above 5.000 V")
    qtbot.waitUntil(lambda: "Tripped" in shown.shell.toolbar.state_indicator.state.text())
    assert "CELL_OVERVOLTAGE, cell 7" in line.text()


def test_a_temperature_fault_names_its_sensor() -> None:
    assert DeviceInfo("FAULT", "OVERTEMPERATURE", 3).fault_words == "OVERTEMPERATURE, sensor 3"


def test_an_event_of_the_device_is_a_line_on_every_plot_at_its_time(running: Shown, qtbot: QtBot) -> None:
    board = running.window.bench.board
    board.view.pause(paused=True)
    running.session.stalled = True
    draw(running, qtbot)
    plot = board.plots[0].canvas
    t_s = board.view.right_s - 0.25 * board.view.span_s
    before = plot.grab().toImage()
    running.session._events.append(record(len(running.session._events), t_s, EventKind.DEVICE_FAULT))  # pyright: ignore[reportPrivateUsage]
    qtbot.waitUntil(lambda: bool(board.view.markers.between(t_s, t_s)))
    draw(running, qtbot)
    after = plot.grab().toImage()
    fault = running.shell.theme.colour("fail").rgb()  # red is for trips
    x = int(plot.x_of(t_s))
    assert fault not in {before.pixel(x, y) for y in range(plot.area.top(), plot.area.bottom())}
    assert fault in {after.pixel(x, y) for y in range(plot.area.top(), plot.area.bottom())}


def test_only_events_of_the_device_and_trips_are_marked_and_not_for_ever() -> None:
    markers = EventMarkers()
    assert not markers.add([record(0, 1.0, "source failed")])
    assert markers.add([record(n, float(n), EventKind.DEVICE_STATE) for n in range(1000)])
    assert len(markers.between(-1.0, 2000.0)) <= 500
    assert [marker.t_s for marker in markers.between(990.0, 992.0)] == [990.0, 991.0, 992.0]
    markers.clear()
    assert markers.between(0.0, 2000.0) == []


@pytest.mark.parametrize("output", [OutputState.UNKNOWN, OutputState.ENERGISED, OutputState.TRIPPED], ids=str)
def test_badge_shows_the_trip_and_the_outputs(running: Shown, qtbot: QtBot, output: OutputState) -> None:
    running.session.trip("cell_07/voltage 5.100 V above 5.000 V")
    running.session.change(output=output)
    said = OutputState.CURRENT_OFF if output is OutputState.TRIPPED else output
    badge = running.shell.toolbar.badge
    qtbot.waitUntil(lambda: badge.word.text() == f"TRIPPED, {said.value}")
    assert badge.accessibleDescription().startswith(badge.word.text())


def test_recording_is_told_while_ticks_are_kept(running: Shown, qtbot: QtBot) -> None:
    bar = running.shell.toolbar
    running.session.trip("cell_07/voltage 5.100 V above 5.000 V")
    qtbot.waitUntil(lambda: running.shell.controller.status.state is BenchState.TRIPPED)
    assert bar.recording.text() == "Recording"
    running.session.change(state=BenchState.DISCONNECTED)
    qtbot.waitUntil(lambda: bar.recording.text() == "Not recording")
