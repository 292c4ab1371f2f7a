"""The guard's process: real pipes, a real ring, a real socket; it speaks first and reports after."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pytest

from control.guard_link import pipe
from control.guard_messages import ARMED, BYE, DISARMED, HEARTBEAT, MARK, OFF, QUIT, RESET, TICK, TRIP
from control.guard_process import Guard
from control.guard_reports import (
    GuardEnded,
    GuardResult,
    GuardStarted,
    Heartbeat,
    MarkAnswer,
    ResetAnswer,
    TripReport,
)
from drivers.ring import RingWriter
from drivers.suspend import SuspendWatch
from tests.control.guardbench import SOON_S, FakeMouth, guard_spec, next_report, written_records
from tests.control.smallbench import TABLE, VALUES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

R = TypeVar("R")


@dataclass
class Session:
    """Both peers of a guard that runs in a thread."""

    engine: Connection
    client: Connection
    ring: RingWriter
    mouth: FakeMouth
    report: Path
    guard: threading.Thread

    def tick(self, **values: float) -> None:
        row = VALUES.copy()
        for name, value in values.items():
            row[TABLE.index(name.replace("__", "/"))] = value
        now_s = time.monotonic()
        self.ring.publish(now_s, row, np.full(len(TABLE), now_s), np.zeros(len(TABLE), dtype=np.uint8))
        self.engine.send_bytes(TICK)

    def next(self, kind: type[R]) -> R:
        """The next report of that class to the engine."""
        return next_report(self.engine, kind)

    def close(self) -> None:
        for connection in (self.engine, self.client):
            connection.close()


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    mouth = FakeMouth()
    spec = guard_spec(tmp_path, mouth)
    engine, guard_engine = pipe()
    client, guard_client = pipe()
    guard = Guard(spec, guard_engine, guard_client, "")
    thread = threading.Thread(target=guard.run)
    with RingWriter.create(spec.ring, TABLE, len(TABLE)) as ring:
        made = Session(engine, client, ring, mouth, spec.report, thread)
        thread.start()
        client.send_bytes(HEARTBEAT)
        yield made
        mouth.after = 0
        made.close()
        thread.join(SOON_S)
        guard_engine.close()
        guard_client.close()
        assert not thread.is_alive()
        assert mouth.closed


def test_a_crossed_limit_is_spoken_to_and_then_told_to_both_peers(session: Session) -> None:
    session.engine.send_bytes(ARMED)
    session.tick(cell_01__voltage=5.2)
    report = session.next(TripReport)
    assert report.reason == "cell_01/voltage 5.200 V above 5.000 V (hil24.toml:58)"
    assert report.is_safe
    assert report.trigger_s <= report.first_send_s <= report.verified_s
    assert [step.name for step in report.steps] == ["supply off"]
    assert next_report(session.client, TripReport) == report


def test_an_unverified_sequence_reads_unknown_and_is_repeated_until_verified(session: Session) -> None:
    session.mouth.after = 3
    session.client.send_bytes(OFF)
    assert session.next(TripReport).result is GuardResult.UNKNOWN
    assert session.next(TripReport).result is GuardResult.SAFE
    assert session.mouth.spoken == 4


def test_a_latched_guard_ignores_a_reset_without_a_reason_and_takes_one_with(session: Session) -> None:
    session.client.send_bytes(OFF)
    session.next(TripReport)
    session.engine.send_bytes(RESET)
    assert session.next(ResetAnswer) == ResetAnswer(0, "OUTPUTS OFF was pressed")
    session.engine.send_bytes(RESET + b"lunch is over")
    assert session.next(ResetAnswer) == ResetAnswer(0, "")


def test_open_wins_until_what_is_open_is_verified(session: Session) -> None:
    session.mouth.after = 10**9
    session.client.send_bytes(OFF)
    session.next(TripReport)
    session.engine.send_bytes(RESET + b"hoping")
    assert not session.next(ResetAnswer).is_granted


@pytest.mark.timed
def test_the_guard_beats_and_says_how_fast_it_is(session: Session) -> None:
    session.engine.send_bytes(DISARMED)
    for _ in range(5):
        session.tick()
    beats = [session.next(Heartbeat) for _ in range(8)]
    assert np.median(np.diff([beat.t_s for beat in beats])) < 0.1
    assert beats[-1].armed is False
    assert 0.0 < beats[-1].reaction_s < 1.0


def test_an_engine_that_vanishes_is_made_safe_and_the_client_is_told(session: Session) -> None:
    session.engine.send_bytes(ARMED)
    session.tick()
    session.engine.close()
    assert next_report(session.client, TripReport).reason == "the engine has died"
    assert session.mouth.spoken >= 1


def test_an_orderly_end_says_nothing_to_the_instruments(session: Session) -> None:
    session.engine.send_bytes(DISARMED)
    session.engine.send_bytes(QUIT)
    session.client.send_bytes(BYE)
    session.next(Heartbeat)
    session.close()
    session.guard.join(SOON_S)
    assert session.mouth.spoken == 0
    records = written_records(session.report)
    assert isinstance(records[0], GuardStarted)
    assert records[-1] == GuardEnded(GuardResult.NOTHING_TRIPPED)


def test_a_guard_left_alone_with_a_deaf_instrument_gives_up_in_words(session: Session) -> None:
    session.engine.send_bytes(ARMED)
    session.mouth.after = 10**9
    session.close()
    session.guard.join(SOON_S)
    assert not session.guard.is_alive()
    assert written_records(session.report)[-1] == GuardEnded(GuardResult.UNKNOWN)


def woken(tmp_path: Path, *, armed: bool) -> list[str]:
    """Causes that a guard tells of after its computer has slept for 7 s."""
    slept_s, causes = [0.0], list[str]()
    suspend = SuspendWatch(lambda: 0.0, lambda: slept_s[0])
    spec = replace(guard_spec(tmp_path, FakeMouth()), attended=False)
    engine, guard_engine = pipe()
    thread = threading.Thread(target=Guard(spec, guard_engine, None, "", suspend).run)
    with RingWriter.create(spec.ring, TABLE, len(TABLE)):
        thread.start()
        engine.send_bytes(ARMED if armed else DISARMED)
        until_s = time.monotonic() + SOON_S
        while time.monotonic() < until_s and len(causes) < 3:
            if (beat := next_report(engine, Heartbeat)).armed is armed:
                if slept_s[0]:
                    causes.append(beat.cause)
                slept_s[0] = 7.0
            if armed:
                engine.send_bytes(TICK)
        engine.close()
        thread.join(SOON_S)
    guard_engine.close()
    assert not thread.is_alive()
    return causes


def test_a_guard_whose_computer_has_slept_trips_while_armed(tmp_path: Path) -> None:
    assert woken(tmp_path, armed=True)[-1] == "the computer was asleep for 7.0 s and did not guard the bench"


def test_a_guard_at_rest_does_not_mind_a_sleep(tmp_path: Path) -> None:
    assert woken(tmp_path, armed=False) == ["", "", ""]


def test_a_guard_without_a_ring_trips_as_soon_as_it_is_armed(session: Session) -> None:
    session.ring.path.unlink()
    session.engine.send_bytes(ARMED)
    assert "the guard cannot read the ring" in session.next(TripReport).reason


def test_a_guard_with_nothing_to_say_never_reads_safe_and_lives_on(tmp_path: Path) -> None:
    engine, guard_engine = pipe()
    thread = threading.Thread(target=Guard(guard_spec(tmp_path), guard_engine, None, "").run)
    thread.start()
    engine.send_bytes(DISARMED)
    engine.send_bytes(MARK + b"SINK:POW 1990\n")
    engine.send_bytes(TRIP + b"io/estop is open")
    assert next_report(engine, MarkAnswer) == MarkAnswer(ok=False)
    assert next_report(engine, TripReport).result is GuardResult.UNKNOWN
    engine.close()
    thread.join(SOON_S)
    guard_engine.close()
    assert not thread.is_alive()
