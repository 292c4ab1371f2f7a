"""A guard among real processes: engine and client that can be killed or stopped, and a supply on a socket."""

from __future__ import annotations

import contextlib
import math
import multiprocessing as mp
import os
import select
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from control.gate import BenchLimits
from control.guard import GuardConfig
from control.guard_journal import FILE_NAME, decode_line
from control.guard_link import pipe
from control.guard_messages import ARMED, BYE, DISARMED, HEARTBEAT, QUIT, TICK
from control.guard_process import guard_main
from control.guard_reports import Heartbeat, TripReport
from drivers.ring import RingWriter
from drivers.safe_commands import SafeStepResult, TcpSafeCommands, TcpStep
from tests.control.smallbench import DECLARED, HIGH, LOW, TABLE, VALUES
from tests.drivers.scripted import shut
from tests.waiting import comes_about

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from pathlib import Path

    from control.guard_reports import GuardReport, JournalRecord

R = TypeVar("R")

SOON_S: Final = 10.0
PERIOD_S: Final = 0.01
SILENT_S: Final = 0.4
CLIENT_SILENT_S: Final = 0.8
CONTEXT: Final = mp.get_context("spawn")


def soon(true: Callable[[], object], within_s: float = SOON_S) -> bool:
    return comes_about(true, within_s)


def guard_spec(folder: Path, *words: Any, attended: bool = True) -> GuardConfig:
    return GuardConfig(
        ring=folder / "ring",
        limits=BenchLimits(TABLE.channels, LOW, HIGH, DECLARED),
        required=TABLE.indices(["cell_01/voltage"]),
        lost_s=np.array([1.0]),
        attended=attended,
        silent_s=SILENT_S,
        client_silent_s=CLIENT_SILENT_S,
        safe_commands=words,
        report=folder / FILE_NAME,
        orphan_s=0.5,
    )


def next_report(guard: Connection, kind: type[R]) -> R:
    """The guard's next report of that class; those before it are dropped."""
    until_s = time.monotonic() + SOON_S
    while time.monotonic() < until_s:
        if guard.poll(0.05) and isinstance(report := guard.recv(), kind):
            return report
    raise AssertionError(f"the guard sends no {kind.__name__}")


def written_records(journal: Path) -> list[JournalRecord]:
    """What the guard has written so far, as far as its lines are complete."""
    lines = journal.read_bytes().splitlines(keepends=True) if journal.exists() else []
    return [decode_line(line) for line in lines if line.endswith(b"\n")]


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

    def execute(self) -> list[SafeStepResult]:
        self.spoken += 1
        now_s = time.monotonic()
        sent_s = now_s - self.takes_s
        if self.spoken > self.after:
            return [SafeStepResult(self.step, verified=True, sent_s=sent_s, verified_s=now_s, detail="")]
        return [SafeStepResult(self.step, verified=False, sent_s=sent_s, verified_s=math.nan, detail="not verified")]

    def close(self) -> None:
        self.closed = True


@dataclass
class Instrument:
    """A supply: answers OUTP?, obeys OUTP OFF, notes the port that commanded it, every line and every port seen.

    It answers `late_s` late and closes a connection that says nothing for `idle_s`.
    """

    on: bool = True
    late_s: float = 0.0
    idle_s: float = 60.0
    off_from: list[int] = field(default_factory=list[int])
    off_s: list[float] = field(default_factory=list[float])
    lines: list[bytes] = field(default_factory=list[bytes])
    ports: list[int] = field(default_factory=list[int])
    wire: socket.socket | None = None

    def __post_init__(self) -> None:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", free_port()))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def word(self, keep_alive_s: float = 0.1) -> TcpSafeCommands:
        step = TcpStep("supply off", b"OUTP OFF\n", b"OUTP?\n", (b"OFF",), 1.0)
        return TcpSafeCommands(self.address, b"OUTP?\n", keep_alive_s, (step,))

    def hang_up(self) -> None:
        """Close the connection that stands, as an instrument does of its own accord."""
        if self.wire is not None:
            self.wire.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        shut(self._listener)
        with contextlib.suppress(OSError):
            self.hang_up()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                wire, (_, port) = self._listener.accept()
                self.wire = wire
                self.ports.append(port)
                threading.Thread(target=self._serve, args=(wire, port), daemon=True).start()

    def _serve(self, wire: socket.socket, port: int) -> None:
        with wire, contextlib.suppress(OSError):
            waiting = b""
            while select.select([wire], [], [], self.idle_s)[0] and (chunk := wire.recv(4096)):
                *lines, waiting = (waiting + chunk).split(b"\n")
                for line in lines:
                    self._line(wire, line, port)

    def _line(self, wire: socket.socket, line: bytes, port: int) -> None:
        self.lines.append(line)
        if line == b"OUTP OFF":
            self.on = False
            self.off_from.append(port)
            self.off_s.append(time.monotonic())
        elif line == b"OUTP?":
            time.sleep(self.late_s)  # fixed wait: it takes its time
            wire.sendall(b"ON\n" if self.on else b"OFF\n")


def heartbeats(guard: Connection) -> list[Heartbeat]:
    """The guard's heartbeats that wait."""
    found: list[GuardReport] = []
    while guard.poll():
        found.append(guard.recv())
    return [report for report in found if isinstance(report, Heartbeat)]


def run_engine(spec: GuardConfig, guard: Connection, until: str) -> None:
    """An engine as the guard sees one; it comes as far as `until` says: silent, disarmed or armed.

    A file of that name stands beside the ring once it is there; of disarmed and armed the guard has told it.
    """
    with RingWriter.create(spec.ring, TABLE, len(TABLE)) as ring:
        quality = np.zeros(len(TABLE), dtype=np.uint8)
        if until == "silent":
            spec.ring.with_name(until).touch()
            time.sleep(60.0)  # fixed wait: until it is killed
        guard.send_bytes(DISARMED)
        asked = False
        while True:
            now_s = time.monotonic()
            ring.publish(now_s, VALUES, np.full(len(TABLE), now_s), quality)
            guard.send_bytes(TICK)
            for beat in heartbeats(guard):
                if until == "armed" and not asked and not beat.armed:
                    guard.send_bytes(ARMED)
                    asked = True
                if beat.armed is (until == "armed") and (asked or until == "disarmed"):
                    spec.ring.with_name(until).touch()
            time.sleep(PERIOD_S)  # fixed wait: the pace of its ticks


def run_client(guard: Connection, busy_s: float, beating: Path) -> None:
    """A window that beats ten times a second, except for `busy_s` after its first beat.

    The file `beating` stands once the guard has surely heard of it since then: it has ended two turns.
    """
    guard.send_bytes(HEARTBEAT)
    time.sleep(busy_s)  # fixed wait: how long it is busy is the case itself
    guard.send_bytes(HEARTBEAT)
    beaten_s, turns = time.monotonic(), 0
    while True:
        guard.send_bytes(HEARTBEAT)
        turns += sum(beat.t_s > beaten_s for beat in heartbeats(guard))
        if turns >= 2:
            beating.touch()
        time.sleep(0.1)  # fixed wait: the pace of its heartbeat


@dataclass
class Among:
    """A guard's process with its peers, as far as they are processes too; whatever still lives ends with the test."""

    folder: Path
    attended: bool = True
    supply: Instrument = field(default_factory=Instrument)
    peers: dict[str, Any] = field(default_factory=dict[str, Any])
    pipes: dict[str, Connection] = field(default_factory=dict[str, "Connection"])

    def start(self, *, engine: str = "", client: bool = False, busy_s: float = 0.0) -> None:
        """`engine`: how far it comes, empty where the test itself is the engine; `client` likewise."""
        spec = guard_spec(self.folder, self.supply.word(), attended=self.attended)
        (engine_end, guard_engine), (client_end, guard_client) = pipe(), pipe()
        self._spawn("guard", guard_main, spec, guard_engine, guard_client)
        for end in (guard_engine, guard_client):
            end.close()
        self.pipes = {"engine": engine_end, "client": client_end}
        if engine:
            self._hand_over("engine", run_engine, spec, engine_end, engine)
        else:
            RingWriter.create(spec.ring, TABLE, len(TABLE)).close()
        if client:
            self._hand_over("client", run_client, client_end, busy_s, self.folder / "beating")

    def reached(self, state: str) -> bool:
        """Whether the guard's connection stands and a peer has come to: silent, disarmed, armed, beating."""
        return bool(self.supply.ports) and (self.folder / state).exists()

    def turns(self, keep_alives: int) -> Callable[[], bool]:
        """Whether the guard has asked its supply so often more: ten times a second."""
        last = len(self.supply.lines) + keep_alives
        return lambda: len(self.supply.lines) >= last

    def signal(self, name: str, number: int) -> None:
        os.kill(self.peers[name].pid, number)

    def records(self) -> list[JournalRecord]:
        """What the guard has written so far."""
        return written_records(self.folder / FILE_NAME)

    def trip_report(self) -> TripReport | None:
        """The guard's first report on a trip, once there is one."""
        return next((record for record in self.records() if isinstance(record, TripReport)), None)

    def next(self, kind: type[R], peer: str = "engine") -> R:
        """The next report of that class to a peer that the test itself plays."""
        return next_report(self.pipes[peer], kind)

    def leave(self) -> None:
        """Both peers, as far as the test plays them, go in good order."""
        if "engine" in self.pipes:
            self.pipes["engine"].send_bytes(DISARMED)
            self.pipes["engine"].send_bytes(QUIT)
        if "client" in self.pipes:
            self.pipes["client"].send_bytes(BYE)
        self.close_pipes()

    def close_pipes(self) -> None:
        for end in self.pipes.values():
            end.close()
        self.pipes.clear()

    def ended(self) -> int | None:
        """The guard's exit status once it has ended by itself."""
        self.peers["guard"].join(SOON_S)
        return self.peers["guard"].exitcode

    def close(self) -> None:
        self.close_pipes()
        for process in self.peers.values():
            process.kill()  # also one that is stopped
            process.join(SOON_S)
            process.close()
        self.supply.close()

    def _hand_over(self, name: str, target: Callable[..., None], *arguments: Any) -> None:
        self._spawn(name, target, *arguments)
        self.pipes.pop(name).close()

    def _spawn(self, name: str, target: Callable[..., None], *arguments: Any) -> None:
        self.peers[name] = CONTEXT.Process(target=target, args=arguments, daemon=True)
        self.peers[name].start()


def free_port() -> int:
    """A port below the ephemeral ones that nobody listens on."""
    for port in range(21000 + int(time.monotonic() * 1e3) % 5000, 32768):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")
