"""A session whose engine waits: nothing that a window does on and on may hold it up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.workbench.live import HIL24
from workbench.session import live, patience
from workbench.session.live import LiveSession
from workbench.window.model import Output, State

if TYPE_CHECKING:
    from pathlib import Path

TURNS = 5_000  # a pipe that nobody reads is full after a few hundred messages


@pytest.mark.timeout(60)
def test_a_window_that_is_not_connected_for_long_is_not_held_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.0)
    session = LiveSession(HIL24, tmp_path)
    try:
        for _ in range(TURNS):
            session.poll()
        assert session.status.state is State.DISCONNECTED
    finally:
        session.close()


@pytest.mark.live
def test_off_of_a_bench_that_is_not_connected_says_so_and_does_not_trip_the_next_one(tmp_path: Path) -> None:
    session = LiveSession(HIL24, tmp_path)
    try:
        for _ in range(2):
            pressed = session.outputs_off()
            assert pressed.done
            assert pressed.error is not None
            assert "Not connected" in pressed.error.sentence
        patience.finish(session, session.connect(), patience.CONNECT_S)
        patience.idle(session, 0.5)
        assert session.status.state is State.CONNECTED
        patience.finish(session, session.disconnect(), patience.CONNECT_S)
        patience.wait_for(session, lambda: session.status.output is Output.DE_ENERGISED, 10.0)
        pressed = session.outputs_off()
        assert (pressed.done, pressed.error) == (True, None), "every output was verified off on leaving"
    finally:
        session.close()


@pytest.mark.live
def test_off_goes_to_the_guard_though_nobody_has_polled_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = LiveSession(HIL24, tmp_path)
    try:
        patience.finish(session, session.connect(), patience.CONNECT_S)
        patience.idle(session, 0.5)
        monkeypatch.setattr(live, "HEARD_S", 0.5)
        time.sleep(1.0)
        patience.finish(session, session.outputs_off(), 5.0)
        assert [report["reason"] for report in session.guard_reports[:1]] == ["OUTPUTS OFF was pressed"]
    finally:
        session.close()


@pytest.mark.live
def test_off_while_it_connects_leaves_everything_off(tmp_path: Path) -> None:
    session = LiveSession(HIL24, tmp_path)
    try:
        connecting = session.connect()
        pressed = session.outputs_off()
        assert not pressed.done
        patience.finish(session, connecting, patience.CONNECT_S)
        patience.finish(session, pressed, 10.0)
        patience.idle(session, 1.0)
        assert session.status.state in (State.CONNECTED, State.TRIPPED)
        assert session.status.output in (Output.DE_ENERGISED, Output.CURRENT_OFF)
    finally:
        session.close()
