"""Every request that counts has a number, and the guard answers it at once, whatever a wire does meanwhile."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import pytest

from control.guard_link import pipe
from control.guard_messages import ARMED, DISARMED, HEARTBEAT, OFF, RESET, TICK, encode
from control.guard_process import Guard
from control.guard_reports import ArmAnswer, OffReceived, ResetAnswer, TripReport
from drivers.ring import RingWriter
from drivers.safe_commands import SafeStepResult, TcpStep
from tests.control.guardbench import SOON_S, guard_spec, next_report, soon
from tests.control.smallbench import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

R = TypeVar("R")

RECEIVED_S = 0.2


@dataclass
class Wire:
    """A connection whose driver hangs in `hangs_in`, its opening or its sequence, until it is let go."""

    hangs_in: str = ""
    name: str = "supply off"
    free: threading.Event = field(default_factory=threading.Event)
    hung: threading.Event = field(default_factory=threading.Event)
    executed: int = 0
    connected: bool = True
    detail: str = ""
    local_port: int = 0

    @property
    def steps(self) -> tuple[TcpStep, ...]:
        return (TcpStep(self.name, b"", b"", (), 0.2),)

    def open(self) -> Wire:
        self._hang("open")
        return self

    def keep_alive(self) -> bool:
        self._hang("keep_alive")
        return True

    def execute(self) -> list[SafeStepResult]:
        self._hang("execute")
        self.executed += 1
        now_s = time.monotonic()
        return [SafeStepResult(self.name, verified=True, sent_s=now_s, verified_s=now_s, detail="")]

    def close(self) -> None:
        pass

    def _hang(self, where: str) -> None:
        if where == self.hangs_in:
            self.hung.set()
            assert self.free.wait(4 * SOON_S)


@dataclass
class Peers:
    """Both peers of a guard that runs in a thread."""

    engine: Connection
    client: Connection
    wires: tuple[Wire, ...]

    def answer(self, peer: str, kind: type[R]) -> R:
        """The next report of that class to that peer."""
        return next_report(getattr(self, peer), kind)

    def press(self, number: int) -> float:
        """Press OUTPUTS OFF; how long the acknowledgement of that number took, s."""
        pressed_s = time.monotonic()
        self.client.send_bytes(encode(OFF, number))
        while (receipt := self.answer("client", OffReceived)).number != number:
            pass
        return receipt.t_s - pressed_s


@pytest.fixture
def wires(request: pytest.FixtureRequest) -> tuple[Wire, ...]:
    return request.param() if hasattr(request, "param") else (Wire(),)


def slow_adapter_and_supply() -> tuple[Wire, ...]:
    return Wire(hangs_in="open", name="contactors open"), Wire()


@pytest.fixture
def peers(tmp_path: Path, wires: tuple[Wire, ...]) -> Iterator[Peers]:
    spec = guard_spec(tmp_path, *wires)
    engine, guard_engine = pipe()
    client, guard_client = pipe()
    guard = threading.Thread(target=Guard(spec, guard_engine, guard_client, "").run)
    with RingWriter.create(spec.ring, TABLE, len(TABLE)):
        guard.start()
        client.send_bytes(HEARTBEAT)
        yield Peers(engine, client, wires)
        for wire in wires:
            wire.free.set()
        engine.close()
        client.close()
        guard.join(2 * SOON_S)
        assert not guard.is_alive()
    for connection in (guard_engine, guard_client):
        connection.close()


@pytest.mark.parametrize("hangs_in", ["keep_alive", "execute"])
def test_off_is_acknowledged_though_a_driver_hangs(peers: Peers, hangs_in: str) -> None:
    wire = peers.wires[0]
    wire.hangs_in = hangs_in
    if hangs_in == "execute":
        peers.client.send_bytes(encode(OFF, 1))
    assert wire.hung.wait(SOON_S)
    assert peers.press(7) < RECEIVED_S
    wire.hangs_in = ""
    wire.free.set()
    while 7 not in (report := peers.answer("client", TripReport)).offs:
        pass
    assert report.reason == "OUTPUTS OFF was pressed"


@pytest.mark.parametrize("wires", [slow_adapter_and_supply], indirect=True)
def test_a_connection_that_takes_seconds_to_open_does_not_keep_the_others_from_their_steps(peers: Peers) -> None:
    slow, supply = peers.wires
    assert slow.hung.wait(SOON_S)
    peers.client.send_bytes(encode(OFF, 1))
    report = peers.answer("client", TripReport)
    verdicts = {step.name: step.verified for step in report.steps}
    assert verdicts == {"contactors open": False, "supply off": True}
    assert "does not respond" in report.steps[0].detail
    assert (report.is_safe, supply.executed >= 1) == (False, True)
    slow.free.set()
    assert peers.answer("client", TripReport).is_safe


def test_a_second_off_on_a_tripped_bench_is_executed_again_and_answered_under_its_number(peers: Peers) -> None:
    assert peers.press(1) < RECEIVED_S
    first = peers.answer("client", TripReport)
    assert (first.offs, first.is_safe, first.trip) == ((1,), True, 1)
    before = peers.wires[0].executed
    assert peers.press(2) < RECEIVED_S
    second = peers.answer("client", TripReport)
    assert (second.offs, second.is_safe, second.trip) == ((2,), True, 1)
    assert peers.wires[0].executed > before


def test_presses_while_the_sequence_runs_are_answered_by_one_that_began_after_them(peers: Peers) -> None:
    wire = peers.wires[0]
    wire.hangs_in = "execute"
    peers.client.send_bytes(encode(OFF, 1))
    assert wire.hung.wait(SOON_S)
    assert [peers.press(number) < RECEIVED_S for number in (2, 3)] == [True, True]
    wire.hangs_in = ""
    wire.free.set()
    assert peers.answer("client", TripReport).offs == (1,)
    assert peers.answer("client", TripReport).offs == (2, 3)


def test_arm_disarm_and_reset_are_answered_under_their_numbers(peers: Peers) -> None:
    for number, kind in enumerate((DISARMED, ARMED, DISARMED), 1):
        peers.engine.send_bytes(encode(kind, number))
        assert peers.answer("engine", ArmAnswer) == ArmAnswer(number, armed=kind == ARMED, cause="")
    peers.client.send_bytes(encode(OFF, 1))
    peers.answer("engine", TripReport)
    peers.engine.send_bytes(encode(ARMED, 4))
    assert peers.answer("engine", ArmAnswer) == ArmAnswer(4, armed=True, cause="OUTPUTS OFF was pressed")
    peers.engine.send_bytes(encode(RESET, 5, "pressed by mistake"))
    assert peers.answer("engine", ResetAnswer) == ResetAnswer(5, cause="")


def test_each_trip_has_a_number_of_its_own(peers: Peers) -> None:
    for trip in (1, 2):
        peers.client.send_bytes(encode(OFF, trip))
        assert peers.answer("engine", TripReport).trip == trip
        peers.engine.send_bytes(encode(RESET, trip, "next"))
        assert peers.answer("engine", ResetAnswer).is_granted


def test_a_client_that_reads_nothing_does_not_keep_the_engine_from_its_answers(peers: Peers) -> None:
    peers.engine.send_bytes(encode(DISARMED, 1))
    for _ in range(2_000):  # more than a pipe holds
        peers.engine.send_bytes(TICK)
    for number in range(2, 400):
        peers.engine.send_bytes(encode(DISARMED, number))
    assert soon(lambda: peers.answer("engine", ArmAnswer).number == 399)
