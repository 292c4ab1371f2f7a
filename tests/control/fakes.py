"""Parts for a loop of two cells: a bench that answers its actuator, lanes that do as told, a stepped clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from control.clock import SteppedClock
from control.gate import BenchLimits, Gate, GateConfig
from control.lanes import Lanes
from control.loop import Loop, LoopParts
from control.ports import CurrentRange, Decision
from control.snapshot_builder import PackView, SnapshotBuilder, Wiring
from drivers.errors import BenchError
from drivers.ports import Health, LinkState
from drivers.snapshot import Bytes, Channel, Command, Estimate, Floats, PackReading, Quality
from twin.ports import PackState

if TYPE_CHECKING:
    from collections.abc import Callable

    from control.state import BenchState
    from control.tick import Tick

CELLS = 2
PERIOD_S = 0.01
LIMITED = {"cell_01/voltage": (0.5, 5.0), "cell_02/voltage": (0.5, 5.0), "supply/current": (-80.0, 80.0)}
START = {
    "cell_01/voltage": 3.7,
    "cell_02/voltage": 3.7,
    "cell_01/current": 0.0,
    "cell_02/current": 0.0,
    "supply/current": 0.0,
    "io/estop": 1.0,
    "io/contactor": 1.0,
    "bms/pack_current": 0.0,
    "bms/charge_limit": 60.0,
    "bms/discharge_limit": 60.0,
    "bms/cell_01/voltage": 3.7,
    "bms/cell_02/voltage": 3.7,
    "bms/temperature_1": 298.0,
}


@dataclass
class FakeBench:
    """Source and actuator at once: what is applied is measured at the next read, `stuck` values stay."""

    now: Callable[[], float]
    values: dict[str, float] = field(default_factory=lambda: dict(START))
    stuck: set[str] = field(default_factory=set[str])
    sampled_s: dict[str, float] = field(default_factory=dict[str, float])
    max_age_s: dict[str, float] = field(default_factory=dict[str, float])
    applied: list[Command] = field(default_factory=list[Command])
    safes: int = 0
    name: str = "fake"

    @property
    def channels(self) -> tuple[Channel, ...]:
        ages_s = (self.max_age_s.get(name, float("inf")) for name in START)
        units = ("V" if name.endswith("voltage") else "A" for name in START)
        return tuple(Channel(*row[:2], max_age_s=row[2]) for row in zip(START, units, ages_s, strict=True))

    def read(self, values: Floats, sampled_s: Floats, quality: Bytes) -> None:
        values[:] = list(self.values.values())
        sampled_s[:] = [self.sampled_s.get(name, self.now()) for name in self.values]
        quality[:] = Quality.GOOD

    def health(self) -> Health:
        return Health(self.name, LinkState.OK)

    def apply(self, command: Command) -> None:
        for values in (command.current_a, command.cell_voltage_v, command.cell_temperature_k):
            if not np.isfinite(values).all():
                raise BenchError(f"{values} is no set-point", where=self.name)
        self.applied.append(command)
        now = {"supply/current": command.current_a, "bms/pack_current": command.current_a}
        for n, volt in enumerate(command.cell_voltage_v.tolist(), start=1):
            now |= {f"cell_{n:02d}/voltage": volt, f"bms/cell_{n:02d}/voltage": volt}
        self.values |= {name: value for name, value in now.items() if name not in self.stuck}

    def safe(self) -> None:
        self.safes += 1
        self.values |= {"supply/current": 0.0, "bms/pack_current": 0.0}


@dataclass
class FakeTwin:
    """3.7 V plus `offset_v`, less 1 mV per ampere; keeps what it was stepped with."""

    offset_v: float = 0.0
    columns: tuple[int, ...] = (0, 1)
    broken: bool = False
    follows: bool = True
    stepped: list[tuple[Floats, float]] = field(default_factory=list[tuple[Floats, float]])

    def step(self, current_a: Floats, ambient_k: float, dt_s: float) -> PackState:
        if self.broken:
            raise ArithmeticError("solver gave up")
        self.stepped.append((current_a.copy(), dt_s))
        cells = len(self.columns)
        volts = 3.7 + self.offset_v - 0.001 * current_a[:cells]
        return PackState(np.full(cells, 0.6), np.full(cells, ambient_k), volts, current_a[:cells].copy())

    def take_over(self, state: PackState) -> None:
        if self.follows:
            self.offset_v = float(np.mean(state.voltage_v + 0.001 * state.current_a)) - 3.7

    def age_s(self) -> float:
        return 0.0

    def close(self) -> None:
        return


@dataclass
class FakeEstimator:
    readings: list[PackReading] = field(default_factory=list[PackReading])
    dts_s: list[float] = field(default_factory=list[float])

    def update(self, reading: PackReading, dt_s: float) -> Estimate:
        self.readings.append(reading)
        self.dts_s.append(dt_s)
        return Estimate(np.full(CELLS, 0.6), np.full(CELLS, 0.01))


@dataclass
class FakeController:
    """Wishes `current_a`, whatever is allowed."""

    current_a: float = 5.0
    broken: bool = False
    taken_over_a: float | None = None
    allowed: CurrentRange | None = None

    def decide(self, reading: PackReading, estimate: Estimate, allowed: CurrentRange, dt_s: float) -> Decision:
        if self.broken:
            raise ValueError("no plan")
        self.allowed = allowed
        return Decision(self.current_a, 0.25, 3)

    def take_over(self, current_a: float) -> None:
        self.taken_over_a = current_a


@dataclass
class Kept:
    """A sink that keeps every tick."""

    ticks: list[Tick] = field(default_factory=list["Tick"])

    def put(self, tick: Tick) -> None:
        self.ticks.append(tick)


@dataclass
class Rig:
    """A loop and everything it is made of."""

    clock: SteppedClock
    bench: FakeBench
    active_twin: FakeTwin
    other_twin: FakeTwin
    estimator: FakeEstimator
    active: FakeController
    other: FakeController
    kept: Kept
    loop: Loop

    def to(self, *states: BenchState) -> None:
        for state in states:
            self.loop.machine.to(state)

    def turns(self, count: int) -> Tick:
        """So many turns on the stepped clock; the last tick."""
        end = self.loop.lateness.turns + count
        self.loop.run(lambda tick: tick.number >= end)
        self.clock.advance(PERIOD_S)
        assert self.loop.tick is not None
        return self.loop.tick


def rig(max_age_s: dict[str, float] | None = None) -> Rig:
    """`max_age_s`: of the device's channels, where one has its own."""
    clock = SteppedClock(50.0)
    bench, kept = FakeBench(clock.now, max_age_s=max_age_s or {}), Kept()
    twins = {"model": FakeTwin(), "other": FakeTwin(offset_v=0.1)}
    controllers = {"duty": FakeController(), "other": FakeController(current_a=-7.0)}
    estimator = FakeEstimator()
    senses = SnapshotBuilder([bench])
    parts = LoopParts(
        clock=clock,
        period_s=PERIOD_S,
        snapshot_builder=senses,
        pack_view=PackView(senses.table, Wiring.hil(CELLS, thermistors=1)),
        estimators=Lanes("estimator", {"belief": estimator}, "belief", clock.now),
        controllers=Lanes("controller", controllers, "duty", clock.now),
        twins=Lanes("twin", twins, "model", clock.now),
        gate=Gate(_spec(senses), Command(0.0, np.full(CELLS, 3.7), np.full(CELLS, 298.0))),
        actuator=bench,
        cells=CELLS,
        ambient_k=298.0,
        sinks=[kept],
    )
    active_twin, other_twin = twins.values()
    active, other = controllers.values()
    return Rig(clock, bench, active_twin, other_twin, estimator, active, other, kept, Loop(parts))


def _spec(senses: SnapshotBuilder) -> GateConfig:
    table = senses.table
    low, high = np.full(len(table), -np.inf), np.full(len(table), np.inf)
    late_s, lost_s = np.full(len(table), np.inf), np.full(len(table), np.inf)
    for name, bounds in {**LIMITED, "bms/temperature_1": (230.0, 350.0)}.items():
        low[table.index(name)], high[table.index(name)] = bounds
    late_s = np.minimum(late_s, table.max_age_s)
    for name in (*LIMITED, "io/estop"):
        late_s[table.index(name)], lost_s[table.index(name)] = 0.04, 0.25
    return GateConfig(
        table=table,
        limits=BenchLimits(table.channels, low, high, ("bench.toml:1",) * len(table)),
        current="supply/current",
        cell_voltage=("cell_01/voltage", "cell_02/voltage"),
        cell_temperature=("bms/temperature_1",) * CELLS,
        late_s=late_s,
        lost_s=lost_s,
        device=table.indices(["bms/pack_current"]),
        device_silent_s=0.3,
        estop=table.index("io/estop"),
        hold_ticks=3,
        ramp_a_s=100.0,
    )
