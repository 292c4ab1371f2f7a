"""The guard's process: real pipes, a real ring, a real socket; it speaks first and reports after."""

from __future__ import annotations

import json
import math
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from control.guard_link import GuardLink, pipe
from control.guard_messages import ARMED, BYE, DISARMED, HEARTBEAT, MARK, OFF, QUIT, RESET, TICK, TRIP, encode
from control.guard_process import Guard
from control.state import BenchState
from drivers.lastword import StepResult, TcpStep
from drivers.ring import RingWriter
from drivers.suspend import SuspendWatch
from tests.control.fakes import rig
from tests.control.guardbench import SOON_S, guard_spec, soon
from tests.control.smallbench import TABLE, VALUES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path


@dataclass
class FakeMouth:
    """Verifies `after` failed attempts."""

    after: int = 0
    spoken: int = 0
    connected: bool = True
    detail: str = ""
    local_port: int = 4711
    closed: bool = False
    step: str = "supply off"
    takes_s: float = 0.0

    @property
    def steps(self) -> tuple[TcpStep, ...]:
        return (TcpStep(self.step, b"", b"", (), 1.0),)

    def open(self) -> FakeMouth:
        return self

    def keep_alive(self) -> bool:
        return True

    def speak(self) -> list[StepResult]:
        self.spoken += 1
        now_s = time.monotonic()
        sent_s = now_s - self.takes_s
        if self.spoken > self.after:
            return [StepResult(self.step, verified=True, sent_s=sent_s, verified_s=now_s, detail="")]
        return [StepResult(self.step, verified=False, sent_s=sent_s, verified_s=math.nan, detail="not verified")]

    def close(self) -> None:
        self.closed = True


@dataclass
class Session:
    """Both peers of a guard that runs in a thread."""

    engine: Connection
    client: Connection
    ring: RingWriter
    mouth: FakeMouth
    report: Path
    guard: threading.Thread
    news: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def tick(self, **values: float) -> None:
        row = VALUES.copy()
        for name, value in values.items():
            row[TABLE.index(name.replace("__", "/"))] = value
        now_s = time.monotonic()
        self.ring.publish(now_s, row, np.full(len(TABLE), now_s), np.zeros(len(TABLE), dtype=np.uint8))
        self.engine.send_bytes(TICK)

    def hear(self, kind: str) -> dict[str, Any]:
        """The next message of that kind to the engine."""
        until_s = time.monotonic() + SOON_S
        while time.monotonic() < until_s:
            if self.engine.poll(0.05) and (message := self.engine.recv())["guard"] == kind:
                return message
        raise AssertionError(f"the guard says nothing of {kind}")

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
    told = session.hear("tripped")
    assert told["reason"] == "cell_01/voltage 5.200 V above 5.000 V (hil24.toml:58)"
    assert told["result"] == "SAFE"
    assert told["trigger_s"] <= told["first_send_s"] <= told["verified_s"]
    assert [step["name"] for step in told["steps"]] == ["supply off"]
    assert soon(lambda: session.client.poll() and session.client.recv()["guard"] == "tripped")


def test_an_unverified_sequence_reads_unknown_and_is_repeated_until_verified(session: Session) -> None:
    session.mouth.after = 3
    session.client.send_bytes(OFF)
    assert session.hear("tripped")["result"] == "UNKNOWN"
    assert session.hear("tripped")["result"] == "SAFE"
    assert session.mouth.spoken == 4


def test_a_latched_guard_ignores_a_reset_without_a_reason_and_takes_one_with(session: Session) -> None:
    session.client.send_bytes(OFF)
    session.hear("tripped")
    session.engine.send_bytes(RESET)
    assert session.hear("latched")["reason"] == "OUTPUTS OFF was pressed"
    session.engine.send_bytes(RESET + b"lunch is over")
    assert session.hear("ready")["reason"] == ""


def test_open_wins_until_what_is_open_is_verified(session: Session) -> None:
    session.mouth.after = 10**9
    session.client.send_bytes(OFF)
    session.hear("tripped")
    session.engine.send_bytes(RESET + b"hoping")
    session.hear("latched")


@pytest.mark.timed
def test_the_guard_beats_and_says_how_fast_it_is(session: Session) -> None:
    session.engine.send_bytes(DISARMED)
    for _ in range(5):
        session.tick()
    beats = [session.hear("alive") for _ in range(8)]
    assert np.median(np.diff([beat["t_s"] for beat in beats])) < 0.1
    assert beats[-1]["armed"] is False
    assert 0.0 < beats[-1]["reaction_ms"] < 1e3


def test_an_engine_that_vanishes_is_made_safe_and_the_client_is_told(session: Session) -> None:
    session.engine.send_bytes(ARMED)
    session.tick()
    session.engine.close()
    assert soon(lambda: session.client.poll() and session.client.recv().get("reason") == "engine has died")
    assert session.mouth.spoken >= 1


def test_an_orderly_end_says_nothing_to_the_instruments(session: Session) -> None:
    session.engine.send_bytes(DISARMED)
    session.engine.send_bytes(QUIT)
    session.client.send_bytes(BYE)
    session.hear("alive")
    session.close()
    session.guard.join(SOON_S)
    assert session.mouth.spoken == 0
    notes = [json.loads(line) for line in session.report.read_text().splitlines()]
    assert notes[0]["guard"] == "started"
    assert (notes[-1]["guard"], notes[-1]["result"]) == ("ended", "NOTHING TRIPPED")


def test_a_guard_left_alone_with_a_deaf_instrument_gives_up_in_words(session: Session) -> None:
    session.engine.send_bytes(ARMED)
    session.mouth.after = 10**9
    session.close()
    session.guard.join(SOON_S)
    assert not session.guard.is_alive()
    assert json.loads(session.report.read_text().splitlines()[-1])["result"] == "UNKNOWN"


def test_the_link_hears_trips_and_notices_a_guard_that_is_gone() -> None:
    ours, theirs = pipe()
    now_s = [10.0]
    link = GuardLink(ours, lambda: now_s[0])
    theirs.send({"guard": "alive", "t_s": 10.0})
    theirs.send({"guard": "tripped", "reason": "test"})
    assert link.alive()
    assert link.news == [{"guard": "tripped", "reason": "test"}]
    now_s[0] = 10.19
    assert link.alive()
    now_s[0] = 10.21
    assert not link.alive()
    now_s[0] = 10.0
    theirs.close()
    assert not link.alive()
    link.close()


def test_the_link_passes_on_what_the_engine_does() -> None:
    ours, theirs = pipe()
    link, made = GuardLink(ours, lambda: 10.0), rig()
    made.loop.parts.sinks.append(link)
    made.to(BenchState.CONNECTED)
    numbers = [link.arm()]
    assert theirs.recv_bytes() == encode(ARMED, numbers[0])
    made.to(BenchState.ARMED)
    made.turns(1)
    assert theirs.recv_bytes() == TICK
    made.loop.trip("io/estop is open")
    made.turns(1)
    assert sorted((theirs.recv_bytes(), theirs.recv_bytes())) == [TICK, TRIP + b"io/estop is open"]
    numbers += [link.reset("pressed by mistake"), link.disarm()]
    link.mark(b"SINK:POW 1990\n")
    link.quit()
    said = [theirs.recv_bytes() for _ in range(4)]
    reset, disarmed = encode(RESET, numbers[1], "pressed by mistake"), encode(DISARMED, numbers[2])
    assert said == [reset, disarmed, MARK + b"SINK:POW 1990\n", QUIT]
    assert len(set(numbers)) == 3
    theirs.send({"guard": "disarmed", "number": numbers[2], "cause": ""})
    assert link.alive()
    assert [link.answer(number) is not None for number in numbers] == [False, False, True]
    theirs.close()
    link.quit()
    assert not link.alive()
    link.close()


def test_a_guard_that_is_stopped_never_holds_up_the_loop_and_hears_every_word_but_one_tick_later() -> None:
    ours, theirs = pipe()
    link, made = GuardLink(ours, lambda: 10.0), rig()
    made.loop.parts.sinks.append(link)
    made.to(BenchState.CONNECTED)
    for _ in range(400):  # a Unix pipe is full after 278; nobody reads the other end
        link.disarm()
    made.turns(1000)
    link.trip("asked for")
    said = [theirs.recv_bytes() for _ in range(402)]
    assert [message[:1] for message in said[:400]] == [DISARMED] * 400
    assert sorted(said[400:]) == [TICK, TRIP + b"asked for"]
    assert not theirs.poll()
    link.close()
    theirs.close()


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
            if engine.poll(0.05) and (said := engine.recv())["guard"] == "alive" and said["armed"] is armed:
                if slept_s[0]:
                    causes.append(said["cause"])
                slept_s[0] = 7.0
            if armed:
                engine.send_bytes(TICK)
        engine.close()
        thread.join(SOON_S)
    guard_engine.close()
    assert not thread.is_alive()
    return causes


def test_a_guard_whose_computer_has_slept_trips_while_armed(tmp_path: Path) -> None:
    assert woken(tmp_path, armed=True)[-1] == "the computer has slept for 7.0 s: nothing was guarded meanwhile"


def test_a_guard_at_rest_does_not_mind_a_sleep(tmp_path: Path) -> None:
    assert woken(tmp_path, armed=False) == ["", "", ""]


def test_a_guard_without_a_ring_trips_as_soon_as_it_is_armed(session: Session) -> None:
    session.ring.path.unlink()
    session.engine.send_bytes(ARMED)
    assert "guard is blind" in session.hear("tripped")["reason"]


def test_a_guard_with_nothing_to_say_never_reads_safe_and_lives_on(tmp_path: Path) -> None:
    engine, guard_engine = pipe()
    thread = threading.Thread(target=Guard(guard_spec(tmp_path), guard_engine, None, "").run)
    thread.start()
    engine.send_bytes(DISARMED)
    engine.send_bytes(MARK + b"SINK:POW 1990\n")
    engine.send_bytes(TRIP + b"io/estop is open")
    told: dict[str, dict[str, Any]] = {}
    assert soon(lambda: engine.poll() and told.update({(m := engine.recv())["guard"]: m}) is None and "tripped" in told)
    assert (told["said"]["ok"], told["tripped"]["result"]) == (False, "UNKNOWN")
    engine.close()
    thread.join(SOON_S)
    guard_engine.close()
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("step", "contact", "times_s", "result"),
    [  # times: age of what was read, and since when it has been asked
        ("contactors open", 0.0, (0.0, 1.0), "SAFE"),
        ("contactors open", 1.0, (0.0, 1.0), "UNKNOWN"),
        ("contactors open", 0.0, (2.0, 3.0), "UNKNOWN"),
        ("contactors open", 0.0, (0.2, 0.1), "UNKNOWN"),  # read before it was asked to open
        ("contactors open", math.nan, (0.0, 1.0), "UNKNOWN"),
        ("supply off", 0.0, (0.0, 1.0), "UNKNOWN"),
    ],
)
def test_what_an_unpowered_device_cannot_verify_a_fresh_open_contact_does_and_nothing_else(
    tmp_path: Path, step: str, contact: float, times_s: tuple[float, float], result: str
) -> None:
    age_s, takes_s = times_s
    mouth = FakeMouth(after=1_000, step=step, takes_s=takes_s)
    spec = replace(guard_spec(tmp_path, mouth), contact=TABLE.index("bms/state"))
    engine, guard_engine = pipe()
    guard = threading.Thread(target=Guard(spec, guard_engine, None, "").run)
    row, sampled_s = VALUES.copy(), np.full(len(TABLE), time.monotonic() - age_s)
    row[TABLE.index("bms/state")] = contact
    with RingWriter.create(spec.ring, TABLE, len(TABLE)) as ring:
        ring.publish(time.monotonic(), row, sampled_s, np.zeros(len(TABLE), dtype=np.uint8))
        guard.start()
        engine.send_bytes(TRIP + b"asked for")
        told = next(said for said in iter(engine.recv, None) if said["guard"] == "tripped")
        assert told["result"] == result
        mouth.after = 0
        engine.close()
        guard.join(SOON_S)
    guard_engine.close()


@pytest.mark.parametrize(
    ("live", "age_s", "result"), [(DISARMED, 0.0, "SAFE"), (DISARMED, 1.0, "UNKNOWN"), (ARMED, 0.0, "UNKNOWN")]
)
def test_the_contact_that_a_dead_engine_read_last_verifies_only_where_nothing_was_live(
    tmp_path: Path, live: bytes, age_s: float, result: str
) -> None:
    mouth = FakeMouth(after=1_000, step="contactors open")
    spec = replace(guard_spec(tmp_path, mouth), contact=TABLE.index("bms/state"))
    engine, guard_engine = pipe()
    guard = threading.Thread(target=Guard(spec, guard_engine, None, "").run)
    row = VALUES.copy()
    row[TABLE.index("bms/state")] = 0.0
    with RingWriter.create(spec.ring, TABLE, len(TABLE)) as ring:
        now_s = time.monotonic()
        ring.publish(now_s, row, np.full(len(TABLE), now_s - age_s), np.zeros(len(TABLE), dtype=np.uint8))
        guard.start()
        engine.send_bytes(live)
        engine.close()
        guard.join(SOON_S)
    guard_engine.close()
    notes = [json.loads(line) for line in spec.report.read_text().splitlines()]
    assert next(note for note in notes if note["guard"] == "tripped")["result"] == result
    assert notes[-1]["result"] == result


@pytest.mark.parametrize(("in_order", "ends"), [(True, True), (False, False)])
def test_a_source_verified_off_is_enough_once_the_engine_has_left_in_order(
    tmp_path: Path, *, in_order: bool, ends: bool
) -> None:
    source, device = FakeMouth(step="supply off"), FakeMouth(after=1_000, step="contactors open")
    spec = replace(guard_spec(tmp_path, source, device), orphan_s=60.0)
    engine, guard_engine = pipe()
    guard = threading.Thread(target=Guard(spec, guard_engine, None, "").run)
    with RingWriter.create(spec.ring, TABLE, len(TABLE)):
        guard.start()
        engine.send_bytes(TRIP + b"the client is gone")
        assert soon(lambda: source.spoken and device.spoken)
        if in_order:
            engine.send_bytes(DISARMED)
            engine.send_bytes(QUIT)
        engine.close()
        guard.join(SOON_S if ends else 0.5)
        assert guard.is_alive() is not ends
        device.after = 0
        guard.join(SOON_S)
    guard_engine.close()


def test_a_tripped_guard_ends_with_an_orderly_engine_though_its_device_has_been_switched_off(tmp_path: Path) -> None:
    mouth = FakeMouth()
    spec = replace(guard_spec(tmp_path, mouth), orphan_s=60.0)
    engine, guard_engine = pipe()
    guard = threading.Thread(target=Guard(spec, guard_engine, None, "").run)
    with RingWriter.create(spec.ring, TABLE, len(TABLE)):
        guard.start()
        engine.send_bytes(TRIP + b"asked for")
        assert soon(lambda: mouth.spoken)
        mouth.after = 1_000  # whatever it says now, nothing verifies it any more
        assert soon(lambda: mouth.spoken > 1)
        engine.send_bytes(DISARMED)
        engine.send_bytes(QUIT)
        engine.close()
        guard.join(SOON_S)
        assert not guard.is_alive()
    guard_engine.close()
    assert json.loads(spec.report.read_text().splitlines()[-1])["result"] == "SAFE"
