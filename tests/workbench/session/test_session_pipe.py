"""A session whose engine waits: nothing that a window does on and on may hold it up."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from control.state import BenchState, OutputState
from drivers.errors import BenchError, Refused
from drivers.event import EventKind
from tests.workbench.live import HIL24, channel, outputs
from workbench.compose.session import open_session
from workbench.session import engine_link, waiting
from workbench.session.actions import Action
from workbench.session.outputs_off_requests import ENGINE, GUARD, PEERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workbench.session.live_session import LiveSession

TURNS = 5_000  # a pipe that nobody reads is full after a few hundred messages


@pytest.mark.timeout(60)
def test_a_window_that_is_not_connected_for_long_is_not_held_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_link, "HEARTBEAT_S", 0.0)
    session = open_session(HIL24, tmp_path)
    try:
        for _ in range(TURNS):
            session.poll()
        assert session.status.state is BenchState.DISCONNECTED
    finally:
        session.close()


@pytest.mark.whole_bench
def test_off_of_a_bench_that_is_not_connected_says_so_and_does_not_trip_the_next_one(tmp_path: Path) -> None:
    session = open_session(HIL24, tmp_path)
    try:
        for _ in range(2):
            pressed = session.outputs_off()
            assert pressed.done
            assert pressed.error is not None
            assert "Not connected" in pressed.error.sentence
        waiting.finish(session, session.connect(), waiting.CONNECT_S)
        assert waiting.wait_for(session, lambda: session.guard_pid is not None, 10.0)
        assert session.status.state is BenchState.CONNECTED
        waiting.finish(session, session.disconnect(), waiting.CONNECT_S)
        waiting.wait_for(session, lambda: session.status.output is OutputState.DE_ENERGISED, 10.0)
        pressed = session.outputs_off()
        assert (pressed.done, pressed.error) == (True, None), "every output was verified off on leaving"
    finally:
        session.close()


def emulator(session: LiveSession, name: str) -> psutil.Process:
    """The process of one emulated instrument."""
    engine = psutil.Process(session.engine_pid)
    journal = f"{name}.journal.jsonl"
    return next(
        child for child in engine.children(recursive=True) if any(journal in f.path for f in child.open_files())
    )


def not_acknowledged(session: LiveSession) -> list[str]:
    """Who has not acknowledged a press, by all events so far."""
    events = [record.event for record in session.events(0)]
    lost = [event.data for event in events if event.kind == EventKind.OFF_NOT_ACKNOWLEDGED]
    return [peer for peer in PEERS if any(peer in data for data in lost)]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[LiveSession]:
    made = open_session(HIL24, tmp_path)
    yield made
    made.close()


@pytest.mark.whole_bench
def test_off_while_it_connects_trips_and_leaves_everything_off_and_the_next_trip_is_not_taken_for_safe(
    session: LiveSession,
) -> None:
    connecting = session.connect()
    pressed = session.outputs_off()
    assert not pressed.done
    waiting.finish(session, connecting, waiting.CONNECT_S)
    waiting.finish(session, pressed, 10.0)
    assert pressed.received_s
    assert waiting.wait_for(session, lambda: session.status.state is BenchState.TRIPPED, 2.0)
    assert waiting.wait_for(session, lambda: session.status.output is OutputState.TRIPPED, 2.0)
    waiting.finish(session, session.reset("pressed by mistake"), 10.0)
    waiting.finish(session, session.arm(), waiting.ARM_S)
    waiting.finish(session, session.start(), 5.0)
    assert session.guard_pid is not None
    os.kill(session.guard_pid, signal.SIGKILL)  # what was verified before was verified of the trip before
    assert waiting.wait_for(session, lambda: outputs(session) == 0.0, 5.0)
    assert waiting.wait_for(session, lambda: channel(session, "io/contactor") == 0.0, 5.0)
    assert session.status.state is BenchState.TRIPPED

    waiting.finish(session, session.reset("the guard is dead, everything is read back off"), 10.0)
    assert waiting.wait_for(session, lambda: session.status.state is BenchState.CONNECTED, 2.0)
    with pytest.raises(Refused, match="the guard has ended"):
        waiting.finish(session, session.arm(), waiting.ARM_S)
    dead_pid = session.guard_pid
    waiting.finish(session, session.disconnect(), waiting.CONNECT_S)
    assert waiting.wait_for(session, lambda: session.status.output is OutputState.DE_ENERGISED, 10.0)

    assert waiting.wait_for(session, lambda: session.can(Action.CONNECT)[0], waiting.CONNECT_S), "its run is sealed"
    waiting.finish(session, session.connect(), waiting.CONNECT_S)
    waiting.finish(session, session.arm(), waiting.ARM_S)
    assert session.status.state is BenchState.ARMED, "a new guard was started"
    assert session.guard_pid not in {None, dead_pid}


@pytest.mark.whole_bench
def test_off_while_the_guard_hangs_is_done_by_the_engine_and_who_has_not_received_it_is_named(
    session: LiveSession,
) -> None:
    waiting.finish(session, session.connect(), waiting.CONNECT_S)
    waiting.finish(session, session.arm(), waiting.ARM_S)
    assert session.guard_pid is not None
    os.kill(session.guard_pid, signal.SIGSTOP)
    try:
        began_s = time.monotonic()
        pressed = session.outputs_off()
        waiting.finish(session, pressed, 5.0)
        assert time.monotonic() - began_s < 3.0
        assert waiting.wait_for(session, lambda: outputs(session) == 0.0, 1.0)
        assert ENGINE in pressed.received_s
        lost = [GUARD]
        assert waiting.wait_for(session, lambda: not_acknowledged(session) == lost, 1.0)
        again = session.outputs_off()
        waiting.finish(session, again, 5.0)
        assert again.error is None
    finally:
        os.kill(session.guard_pid, signal.SIGCONT)


@pytest.mark.whole_bench
def test_an_output_that_cannot_be_verified_off_keeps_guard_device_and_cells_and_reads_unknown(
    session: LiveSession,
) -> None:
    waiting.finish(session, session.connect(), waiting.CONNECT_S)
    waiting.finish(session, session.arm(), waiting.ARM_S)
    supply = emulator(session, "supply")
    supply.suspend()
    with pytest.raises(BenchError, match="does not answer"):
        waiting.finish(session, session.disarm(), 20.0)
    assert waiting.wait_for(session, lambda: session.status.output is OutputState.UNKNOWN, 2.0)
    assert session.status.state is BenchState.TRIPPED
    assert channel(session, "io/bms_power") == 1.0
    assert channel(session, "cell_01/voltage") > 2.0
    with pytest.raises(BenchError, match="not verified"):
        waiting.finish(session, session.reset("hoping"), 20.0)
    assert session.status.state is BenchState.TRIPPED

    waiting.finish(session, session.disconnect(), 30.0)
    assert waiting.wait_for(session, lambda: session.status.state is BenchState.DISCONNECTED, 5.0)
    assert session.status.output is OutputState.UNKNOWN, "nothing was read back"
    assert session.guard_pid is not None
    assert psutil.pid_exists(session.guard_pid), "it goes on trying"
    os.kill(session.guard_pid, signal.SIGKILL)
