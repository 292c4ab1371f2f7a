"""A session without an engine: plausible figures into a real ring, and a state machine that answers at once."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from control.ports import Fallback, Plan
from control.state import BenchState, OutputState
from drivers.event import DETAIL, Event, EventRecord, Level
from drivers.ports import Health, LinkState
from drivers.ring import RingReader, RingWriter
from drivers.snapshot import Floats, Quality
from tests.workbench.plant import CELLS, HZ, LANES, Plant, table
from workbench.session.actions import Action, Failure, PendingAction
from workbench.session.bench_info import BenchInfo, ChoiceParameter, FaultSpec, LimitPair, NumberParameter, SourceInfo
from workbench.session.status import (
    ChecklistLine,
    CheckState,
    GuardInfo,
    InjectedFault,
    LoopStats,
    RecordingSize,
    SessionStatus,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ROWS: dict[int, Floats] = {}  # the same for every session of a process, so that tests open one quickly
BMS_STATES = {0: "INIT", 1: "STANDBY", 2: "PRECHARGE", 3: "NORMAL", 4: "FAULT", 5: "SHUTDOWN"}


def facts() -> BenchInfo:
    limits = [LimitPair(f"cell_{n:02d}/voltage", "V", (0.5, 5.0), (2.8, 4.25)) for n in range(1, CELLS + 1)]
    limits += [LimitPair("supply/current", "A", (-80.0, 80.0), (-60.0, 60.0))]
    limits += [LimitPair("supply/voltage", "V", (-0.5, 18.0))]
    limits += [LimitPair(f"bms/temperature_{n}", "K", (238.15, 343.15), (253.15, 328.15)) for n in range(1, 9)]
    cell = NumberParameter("cell", "Cell", "1", 1, CELLS, 7, whole=True)
    faults = (
        FaultSpec("cell_voltage", "Cell voltage stepped past the device limit", "Added before the gate.",
                  (cell, NumberParameter("voltage", "Voltage", "V", 0.5, 5.0, 4.3))),
        FaultSpec("open_wire", "Open sense wire", "In the cell simulator's fault relay.", (cell,)),
        FaultSpec("silent", "Silent instrument", "In the emulator; it receives and never answers.",
                  (ChoiceParameter("instrument", "Instrument", ("cell_simulator", "supply", "bms", "io_box")),)),
        FaultSpec("stuck_temperature", "Stuck temperature", "In the I/O box.",
                  (NumberParameter("temperature", "Temperature", "K", 238.15, 343.15, 298.15),)),
    )  # fmt: skip
    return BenchInfo(
        "hil24", "hil24.toml", "hil", "shunt-loop", attended=True, cells=CELLS,
        sources=(
            SourceInfo("cell_simulator", "Cell simulator", ("cell_",), 0.010),
            SourceInfo("supply", "Supply", ("supply/",), 0.040),
            SourceInfo("bms", "BMS (CAN)", ("bms/",), 0.020),
            SourceInfo("io_box", "I/O box", ("io/",), 0.100),
        ),
        limits=tuple(limits), faults=faults, words={"bms/state": BMS_STATES},
    )  # fmt: skip


class FakeSession:
    """Implements `workbench.session.session.Session`; `past_s` of history are there at once after connecting."""

    def __init__(self, past_s: float = 70.0) -> None:
        self.bench = facts()
        self.bench_error: Failure | None = None
        self.status = SessionStatus(lanes=LANES)
        self.ring: RingReader | None = None
        self.acknowledged: set[int] = set()
        self.asked: list[tuple[object, ...]] = []
        self.polls = 0
        self.closed = False
        self.silent: set[str] = set()
        self.says: dict[str, float] = {}  # channels that stand where a test wants them
        self.stalled = False  # no more rows come, as from an engine that died
        self._past_s = past_s
        self._events: list[EventRecord] = []
        self._home = tempfile.TemporaryDirectory()
        self._writer: RingWriter | None = None
        self._row = 0
        self._start = 0.0
        self._run_start = 0.0
        self._arming: PendingAction | None = None

    # ---- what happens by itself

    def poll(self) -> None:
        self.polls += 1
        if self._writer is not None and not self.stalled:
            self.write_until(time.monotonic())
        if self._arming is not None:
            self._arm_on(self._arming)
        if self.status.state is BenchState.RUNNING and self.polls % 10 == 0:
            run_s = time.monotonic() - self._run_start
            self.change(run_s=run_s, recorded=RecordingSize(int(run_s * HZ), int(run_s * 160_000)))

    def write_until(self, now: float) -> None:
        writer = self._writer
        assert writer is not None
        while self._start + self._row / HZ < now:
            t = self._start + self._row / HZ
            values = _ROWS.get(self._row)
            if values is None:
                values = _ROWS[self._row] = self._plant.row(self._row / HZ)
            if self.says:
                values = values.copy()
                values[self._table.indices(self.says)] = list(self.says.values())
            quality = np.zeros(self._measured, np.uint8)
            sampled = np.full(self._measured, t)
            for name in self.silent:
                columns = [
                    n for n, channel in enumerate(self._table.names[: self._measured]) if channel.startswith(name)
                ]
                quality[columns] = Quality.STALE
                sampled[columns] = t - 3.0
            writer.publish(t, values, sampled, quality)
            self._row += 1

    def plan(self) -> None:
        """Let MPC and RL look 12 s ahead along the duty."""
        now_s = time.monotonic() - self._start
        steps = [self._plant.amps(now_s + 0.5 * step) for step in range(24)]
        mpc, rl = (tuple(share * float(a) for a in steps) for share in (0.97, 0.94))
        self.change(plans={"MPC": Plan(0.5, mpc), "RL": Plan(0.5, rl)})

    def fall_back(self, lane: str, fallback: Fallback, note: str) -> None:
        """Let a controller fall back from the next row on."""
        self.says[f"controller/{lane}/fallback"] = float(fallback)
        self.change(notes={**self.status.notes, lane: note})

    def change(self, **fields: object) -> None:
        self.status = dataclasses.replace(self.status, **fields)  # type: ignore[arg-type]

    def note(self, level: Level, source: str, text: str, detail: str = "") -> None:
        event = Event(level, source, text, {DETAIL: detail})
        self._events.append(EventRecord(len(self._events), time.monotonic(), time.time(), event))

    # ---- what a client sees

    def events(self, since: int) -> Sequence[EventRecord]:
        return self._events[since:]

    def acknowledge(self, numbers: Sequence[int]) -> None:
        self.acknowledged = self.acknowledged | set(numbers)

    def can(self, action: Action) -> tuple[bool, str]:
        state = self.status.state
        if self.bench_error is not None and action is Action.CONNECT:
            return False, self.bench_error.sentence
        allowed = {
            Action.CONNECT: {BenchState.DISCONNECTED},
            Action.DISCONNECT: set(BenchState) - {BenchState.DISCONNECTED},
            Action.ARM: {BenchState.CONNECTED},
            Action.DISARM: {BenchState.ARMED},
            Action.START: {BenchState.ARMED},
            Action.STOP: {BenchState.RUNNING},
            Action.OUTPUTS_OFF: set(BenchState),
            Action.RESET: {BenchState.TRIPPED},
        }.get(action, set(BenchState) - {BenchState.DISCONNECTED})
        return (True, "") if state in allowed else (False, f"Not while {state.word}: connect, arm, then start.")

    def _did(self, *what: object) -> PendingAction:
        self.asked.append(what)
        return PendingAction(str(what[0]), done=True)

    def connect(self, *, take_over: bool = False) -> PendingAction:
        if take_over:
            self.asked.append(("take over",))
        self._table, self._measured = table()
        path = Path(self._home.name) / f"ring-{len(self.asked)}"
        if self._writer is not None:
            self._writer.close()
        self._writer = RingWriter.create(path, self._table, self._measured)
        self._plant = Plant(self._table)
        self._start, self._row = time.monotonic() - self._past_s, 0
        self.write_until(time.monotonic())
        self.ring = RingReader.open(path)
        health = tuple(Health(source.name, LinkState.OK) for source in self.bench.sources)
        self.change(
            state=BenchState.CONNECTED, output=OutputState.DE_ENERGISED, health=health,
            loop=LoopStats(100.0, 3.1e-4, 0),
            guard=GuardInfo(alive=True, median_s=61e-6), realtime=True,
        )  # fmt: skip
        return self._did("connect")

    def disconnect(self) -> PendingAction:
        self.change(state=BenchState.DISCONNECTED, output=OutputState.DE_ENERGISED, run_s=None)
        return self._did("disconnect")

    def arm(self) -> PendingAction:
        names = ("Identities and firmware", "Cell order", "Polarity", "Zero-current offset", "Instrument protection",
                 "DBC hash", "Balancing off")  # fmt: skip
        self.change(checklist=tuple(ChecklistLine(name, CheckState.WAITING) for name in names))
        self.asked.append(("arm",))
        self._arming = PendingAction("Walk", fraction=0.0, left_s=1.0, cancel=self._cancel_arming, action=Action.ARM)
        return self._arming

    def _cancel_arming(self) -> None:
        self.asked.append(("cancel arm",))
        if self._arming is not None:
            self._arming.done = True
            self._arming = None

    def _arm_on(self, pending: PendingAction) -> None:
        done = sum(check.state is CheckState.OK for check in self.status.checklist)
        checks = list(self.status.checklist)
        checks[done] = ChecklistLine(checks[done].name, CheckState.OK, "as declared")
        if done + 1 < len(checks):
            checks[done + 1] = ChecklistLine(checks[done + 1].name, CheckState.WORKING)
        self.change(checklist=tuple(checks))
        pending.fraction, pending.left_s = (done + 1) / len(checks), 0.1 * (len(checks) - done - 1)
        pending.sentence = checks[done].name
        if done + 1 == len(checks):
            pending.done, self._arming = True, None
            self.change(state=BenchState.ARMED, output=OutputState.CELLS_LIVE)

    def disarm(self) -> PendingAction:
        self.change(state=BenchState.CONNECTED, output=OutputState.DE_ENERGISED)
        return self._did("disarm")

    def start(self) -> PendingAction:
        self._run_start = time.monotonic()
        self.change(state=BenchState.RUNNING, output=OutputState.ENERGISED, run_name="2026-11-23_1512_hil24", run_s=0.0)
        return self._did("start")

    def stop(self) -> PendingAction:
        self.change(state=BenchState.ARMED, output=OutputState.CELLS_LIVE, run_s=None)
        return self._did("stop")

    def outputs_off(self) -> PendingAction:
        self.trip("OUTPUTS OFF was pressed.")
        return self._did("outputs off")

    def trip(self, reason: str) -> None:
        self.change(state=BenchState.TRIPPED, output=OutputState.TRIPPED, trip_reason=reason, run_s=None)
        self.note(Level.ALARM, "guard", reason)

    def reset(self, reason: str) -> PendingAction:
        self.change(state=BenchState.CONNECTED, output=OutputState.DE_ENERGISED, trip_reason="")
        return self._did("reset", reason)

    def activate(self, role: str, lane: str) -> PendingAction:
        lanes = tuple(
            dataclasses.replace(info, active=info.name == lane) if info.role == role else info
            for info in self.status.lanes
        )
        self.change(lanes=lanes)
        return self._did("activate", role, lane)

    def inject(self, fault: str, parameters: Mapping[str, float | str]) -> PendingAction:
        number = len(self.asked)
        injected = InjectedFault(number, fault, f"{fault.replace('_', ' ')}, cell 7", time.monotonic())
        self.change(injected=(*self.status.injected, injected))
        return self._did("inject", fault, dict(parameters))

    def clear(self, number: int) -> PendingAction:
        self.change(injected=tuple(fault for fault in self.status.injected if fault.number != number))
        return self._did("clear", number)

    def close(self) -> None:
        self.closed = True
        if self.ring is not None:
            self.ring.close()
        if self._writer is not None:
            self._writer.close()
        self._home.cleanup()


def running_session(past_s: float = 70.0) -> FakeSession:
    """Connected, armed, running, with something to read in the alarms."""
    session = FakeSession(past_s)
    session.connect()
    session.change(state=BenchState.ARMED)
    session.note(Level.INFO, "gate: Held", "supply/current held for 2 ticks: value 61 ms old, expected every 40 ms")
    session.note(Level.WARNING, "BMS counts it as DEVIATION",
                 "cell_07/voltage 29 mV below the mean of its pack for 12 s (spread limit 25 mV)")  # fmt: skip
    session.start()
    return session
