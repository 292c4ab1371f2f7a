"""A connected bench: all parts that the composition root built, started and closed together."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from control.state import BenchState, OutputState
from drivers import source_names
from drivers.clock import monotonic
from drivers.ports import Health, LinkState

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from pathlib import Path

    from control.guard_link import GuardLink
    from control.loop import Loop
    from control.output_states import OutputStates
    from drivers.bench_lock import BenchLock
    from drivers.benchfile.limits import DeclaredLimits
    from drivers.benchfile.model import Bench
    from drivers.canbus.dut import Dut
    from drivers.event import Event
    from drivers.ring import RingWriter
    from drivers.runlog.recorder import Recorder
    from drivers.scpi.cell_simulator import CellSimulator
    from drivers.scpi.io_box import IoBox
    from drivers.scpi.supply import Supply
    from drivers.snapshot import Snapshot
    from workbench.engine.actuator import BenchActuator
    from workbench.session.order import EngineOrder

SOURCES: Final = {source_names.BMS: source_names.DUT}  # emulator -> source, where their names differ
LOOK_S: Final = 0.02
GUARD_END_S: Final = 2.0
OPENS_S: Final = 2.0
STANDS_S: Final = 0.5  # after so long without a turn, the last snapshot no longer counts


class EmulatedParts(Protocol):
    """The emulators of an emulated bench; they inject the faults that only a bench itself can cause."""

    def has_part(self, part: str) -> bool:
        """Return whether that instrument, or `bms`, is one of its emulators."""
        ...

    def inject(self, fault: str, **at: object) -> None: ...

    def clear(self, fault: str) -> None: ...

    def stop(self) -> None: ...

    def read_deaths(self) -> dict[str, str]:
        """Return the emulators that ended without a request, and how each ended."""
        ...

    @property
    def device_late_s(self) -> float:
        """Total lateness of the emulated device's turns so far, in s; its machine causes it."""
        ...


class ComposeBench(Protocol):
    """Builds the live bench of a bench file; the composition root passes it to the engine."""

    def __call__(
        self, bench: Bench, order: EngineOrder, guard_client: Connection, *, take_over: bool = False
    ) -> LiveBench: ...


@dataclass
class LiveBench:
    """One connected bench with one run folder; `emulated` is set only if the bench is emulated."""

    bench: Bench
    folder: Path
    cells: CellSimulator
    supply: Supply
    io_box: IoBox
    dut: Dut
    loop: Loop
    actuator: BenchActuator
    limits: DeclaredLimits
    outputs: OutputStates
    ring: RingWriter
    recorder: Recorder
    guard: GuardLink
    guard_process: SpawnProcess
    evidence_class: str
    lock: BenchLock
    taken: str = ""  # why we took a supply that was under remote control already
    emulated: EmulatedParts | None = None

    @property
    def health(self) -> tuple[Health, ...]:
        """Health of each source; if its emulator has died, report that and not the silence that follows."""
        healths = (self.cells.health(), self.supply.health(), self.dut.health(), self.io_box.health())
        dead = self.deaths()
        return tuple(
            Health(health.name, LinkState.DROPPED, dead[health.name]) if health.name in dead else health
            for health in healths
        )

    def deaths(self) -> dict[str, str]:
        """Return a sentence for each emulator that has died, by source."""
        ended = {} if self.emulated is None else self.emulated.read_deaths()
        names = {name: SOURCES.get(name, name) for name in ended}
        return {names[name]: f"the emulator of {names[name]} ended unexpectedly: {how}" for name, how in ended.items()}

    def news(self) -> list[Event]:
        """Return the changes at the recorder and the instruments; each is reported once."""
        return [event for part in (self.recorder, self.cells, self.supply, self.io_box) for event in part.news()]

    @property
    def peers(self) -> dict[str, str]:
        """Numeric addresses of the instruments that have been connected, by their section of the bench file."""
        return {source.name: source.peer for source in (self.cells, self.supply, self.io_box) if source.peer}

    @property
    def opens_s(self) -> float:
        """Time within which contactors must read open, in s: as the safe sequence declares, at least `OPENS_S`."""
        return max((OPENS_S, *(step.within_s for step in self.bench.safe if step.step == "contactors open")))

    def start(self) -> None:
        """Open every connection; nothing is energised."""
        for source in (self.cells, self.supply, self.io_box, self.dut):
            source.start()

    def answering(self, *, with_device: bool) -> bool:
        """Return whether every instrument answers; `with_device` includes the device under test, once it has power."""
        asked = [health for health in self.health if with_device or health.name != self.dut.name]
        return all(health.state is LinkState.OK for health in asked)

    def read(self, channel: str, since_s: float = float("-inf")) -> float:
        """Return the newest value of a channel; NaN if it is too old or was sampled before `since_s`."""
        snapshot = self._snapshot()
        column = None if snapshot is None else snapshot.table.index(channel)
        if snapshot is None or column is None or not snapshot.sampled_s[column] >= since_s:
            return float("nan")
        return float(snapshot.known[column])

    def output_word(self, state: BenchState | None = None) -> OutputState:
        """Return what the read-backs prove about the outputs; UNKNOWN while the loop does not turn.

        `state`: the bench state to derive it for, by default the present one.
        """
        snapshot = self._snapshot()
        if snapshot is None:
            return OutputState.UNKNOWN
        return self.outputs.derive(snapshot, self.loop.machine.state if state is None else state)

    def wait_until(self, holds: Callable[[], bool], within_s: float) -> bool:
        """Poll until `holds()`; return False if that takes longer than `within_s`."""
        until_s = monotonic() + within_s
        while not holds():
            if monotonic() > until_s:
                return False
            time.sleep(LOOK_S)
        return True

    def _snapshot(self) -> Snapshot | None:
        """Return the newest snapshot; None if the loop does not turn."""
        tick = self.loop.tick
        if tick is None or not self.loop.parts.clock.now() - tick.snapshot.t_s <= STANDS_S:
            return None
        return tick.snapshot

    def close(self, progress: Callable[[float], object] = float) -> None:
        """Close all parts, in the order that keeps the evidence; close each part even if another fails.

        `progress` gets the fraction of the run that is sealed.
        """
        with contextlib.ExitStack() as stack:
            stack.callback(self.lock.release)
            if self.emulated is not None:
                stack.callback(self.emulated.stop)
            stack.callback(self.ring.path.unlink, missing_ok=True)
            stack.callback(self.ring.close)
            stack.callback(self.recorder.close, progress)
            if self.loop.parts.shadow is not None:
                stack.callback(self.loop.parts.shadow.close)
            for lane in self.loop.parts.twins.all:
                stack.callback(lane.part.close)
            for source in (self.io_box, self.supply, self.cells, self.dut):
                stack.callback(source.close)
            stack.callback(self.guard_process.join, GUARD_END_S)
            stack.callback(self.guard.close)
