"""`measure guard`: the time from a sample past a limit to "off" received, from the guard's process on busy cores."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Self, TypeVar

import numpy as np

from drivers.clock import monotonic
from drivers.errors import BenchError
from workbench.measure.job import describe_conditions, percentile, run_at_priority
from workbench.measure.metric import MeasuredMetric

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

    from control.guard import GuardConfig
    from drivers.snapshot import ChannelTable, Floats
    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow

R = TypeVar("R")

_NORMAL: Final = "the same guard under normal scheduling"
P50: Final = MeasuredMetric("sample past a limit to off received, p50", "ms", "<", 1.0, _NORMAL)
P99: Final = MeasuredMetric("sample past a limit to off received, p99", "ms", "<", 5.0, _NORMAL)
WORST: Final = MeasuredMetric("sample past a limit to off received, greatest", "ms", "<", 20.0, _NORMAL)
METRICS: Final = (P50, P99, WORST)

CHANNELS: Final = 200
LIMIT_V: Final = 5.0
REST_S: Final = 0.02  # between trips, so that each finds the guard blocked on its pipe
WAIT_S: Final = 5.0
NEVER_S: Final = 600.0  # nothing but the limit may trip here
OFF_WITHIN_S: Final = 0.2
TRIPS, ROUNDS = 25, 10


def measure(job: MeasureJob) -> Iterator[MeasureRow]:
    """Measure guards in turns, with and without real-time permission, until the receiver gets the bytes of "off"."""
    conditions, context = describe_conditions(), multiprocessing.get_context("spawn")
    rounds = job.times(ROUNDS)
    job.say(f"{rounds * TRIPS} trips of each guard beside {os.cpu_count()} busy processes")
    reactions: dict[bool, list[Floats]] = {True: [], False: []}
    with ExitStack() as stack:
        for _ in range(os.cpu_count() or 1):
            busy = context.Process(target=_keep_core_busy, daemon=True)
            busy.start()
            stack.callback(busy.kill)
        rigs = {realtime: stack.enter_context(_GuardRig(job.folder, realtime=realtime)) for realtime in (True, False)}
        for _ in range(rounds):
            for realtime, rig in rigs.items():
                reactions[realtime].append(rig.measure_trips(TRIPS))
    ours_s, peer_s = (np.concatenate(reactions[realtime]) for realtime in (True, False))
    conditions = f"{conditions}; {len(ours_s)} trips of each, {CHANNELS} channels, every core kept busy"
    for metric, percent in ((P50, 50), (P99, 99), (WORST, 100)):
        yield metric.make_row(1e3 * percentile(ours_s, percent), 1e3 * percentile(peer_s, percent), conditions)


class _GuardRig:
    """A guard's process with a simulated engine and a supply that only records and verifies."""

    def __init__(self, folder: Path, *, realtime: bool) -> None:
        from control.guard_link import pipe  # noqa: PLC0415  # only this figure needs it
        from drivers.ring import RingWriter  # noqa: PLC0415

        context = multiprocessing.get_context("spawn")
        self._stack = ExitStack()
        self._times, theirs = context.Pipe(duplex=False)
        supply = context.Process(target=_run_supply, args=(theirs,), daemon=True)
        supply.start()
        self._stack.callback(supply.kill)
        address = f"127.0.0.1:{self._receive_from_supply()}"
        table, spec = _make_config(folder / f"guard_{'fifo' if realtime else 'normal'}", address)
        self._ring = self._stack.enter_context(RingWriter.create(spec.ring, table, len(table)))
        self._stack.callback(spec.ring.unlink)
        self._engine, guard_end = pipe()
        guard = context.Process(target=_run_guard, args=(spec, guard_end, realtime), daemon=True)
        guard.start()
        guard_end.close()
        self._stack.callback(guard.kill)
        self._values, self._known = np.full(len(table), 3.7), np.zeros(len(table), np.uint8)

    def measure_trips(self, count: int) -> Floats:
        """Return each reaction time in s; the engine's loop has its own permission in both cases."""
        from drivers.realtime import LOOP  # noqa: PLC0415  # only this figure needs it

        return run_at_priority(LOOP, lambda: np.array([self._measure_trip() for _ in range(count)]))

    def __enter__(self) -> Self:
        until_s = monotonic() + WAIT_S
        while not self._is_connected():
            if monotonic() > until_s:
                raise BenchError("the guard does not connect to its supply")
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()
        self._engine.close()

    def _is_connected(self) -> bool:
        from control.guard_messages import DISARMED  # noqa: PLC0415  # only this figure needs it
        from control.guard_reports import Heartbeat  # noqa: PLC0415

        self._engine.send_bytes(DISARMED)
        return not self._receive_report(Heartbeat).trouble

    def _measure_trip(self) -> float:
        from control.guard_messages import ARMED, RESET  # noqa: PLC0415  # only this figure needs it
        from control.guard_reports import ResetAnswer, TripReport  # noqa: PLC0415

        self._engine.send_bytes(ARMED)
        self._publish_tick()
        time.sleep(REST_S)
        while self._times.poll():
            self._times.recv()  # repeated since
        self._values[7] = LIMIT_V + 0.1
        crossed_s = self._publish_tick()
        self._values[7] = 3.7
        off_s = self._receive_from_supply()
        while not self._receive_report(TripReport).is_safe:
            pass
        self._publish_tick()
        self._engine.send_bytes(RESET + b"measured")
        while not self._receive_report(ResetAnswer).is_granted:
            pass
        return off_s - crossed_s

    def _publish_tick(self) -> float:
        """Publish a row as the loop does; return its sample time."""
        from control.guard_messages import TICK  # noqa: PLC0415  # only this figure needs it

        sampled_s = monotonic()
        self._ring.publish(sampled_s, self._values, np.full(len(self._values), sampled_s), self._known)
        self._engine.send_bytes(TICK)
        return sampled_s

    def _receive_report(self, kind: type[R]) -> R:
        """Return the guard's next report of that class; raise `BenchError`."""
        until_s = monotonic() + WAIT_S
        while monotonic() < until_s:
            if self._engine.poll(0.1) and isinstance(report := self._engine.recv(), kind):
                return report
        raise BenchError(f"the guard sends no {kind.__name__} within {WAIT_S:g} s")

    def _receive_from_supply(self) -> float:
        if not self._times.poll(WAIT_S):
            raise BenchError(f"the supply receives nothing within {WAIT_S:g} s")
        return self._times.recv()


def _make_config(folder: Path, address: str) -> tuple[ChannelTable, GuardConfig]:
    from control.gate import BenchLimits  # noqa: PLC0415  # only this figure needs it
    from control.guard import GuardConfig  # noqa: PLC0415
    from control.guard_journal import FILE_NAME  # noqa: PLC0415
    from drivers.ring_files import fresh_path  # noqa: PLC0415
    from drivers.scpi import ea_psb10000  # noqa: PLC0415
    from drivers.snapshot import Channel, ChannelTable  # noqa: PLC0415

    folder.mkdir()
    table = ChannelTable(tuple(Channel(f"s{n:03d}/voltage", "V") for n in range(CHANNELS)))
    low, high = np.full(CHANNELS, 0.5), np.full(CHANNELS, LIMIT_V)
    limits = BenchLimits(table.channels, low, high, ("measure guard",) * CHANNELS)
    spec = GuardConfig(
        ring=fresh_path(),
        limits=limits,
        required=np.arange(CHANNELS),
        lost_s=np.full(CHANNELS, NEVER_S),
        attended=False,
        silent_s=NEVER_S,
        client_silent_s=NEVER_S,
        safe_commands=(ea_psb10000.off_commands(address, OFF_WITHIN_S),),
        report=folder / FILE_NAME,
    )
    return table, spec


def _run_guard(spec: GuardConfig, engine: Connection, realtime: bool) -> None:  # noqa: FBT001  # crosses into a process
    """Run the guard's process, with the permission it requests or deliberately without."""
    from control.guard_process import Guard, guard_main  # noqa: PLC0415  # only this figure needs it

    if realtime:
        guard_main(spec, engine, None)
    else:
        Guard(spec, engine, None, "normal scheduling, for comparison").run()


def _run_supply(times: Connection) -> None:
    """Process: send its port, then the time at which each first "off" arrived; answer as the supply does."""
    from drivers.realtime import INSTRUMENT, ask_realtime  # noqa: PLC0415  # only this figure needs it

    ask_realtime(INSTRUMENT)
    with socket.create_server(("127.0.0.1", 0)) as server, contextlib.suppress(OSError):
        times.send(server.getsockname()[1])
        wire, _ = server.accept()
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waiting = b""
        while chunk := wire.recv(4096):
            arrived_s = monotonic()
            *lines, waiting = (waiting + chunk).split(b"\n")
            for line in lines:
                if line == b"OUTP OFF":
                    times.send(arrived_s)
                elif line.endswith(b"?"):
                    wire.sendall(b"OFF\n" if line == b"OUTP?" else b"REMOTE\n")


def _keep_core_busy() -> None:
    """Process: keep a core busy as a numpy lane does."""
    block = np.random.default_rng(0).random((120, 120))
    while True:
        block = np.tanh(block @ block.T / 120.0)
