"""What the device under test reports becomes an event with its words, once for each change."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from control.state import BenchState
from drivers.bench_channels import make_channel_table
from drivers.benchfile.read import read_bench
from drivers.canbus.dut_map import read_dut_map
from drivers.event import Event, EventKind, Level
from drivers.snapshot import Quality, Snapshot
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.engine.device_events import DeviceEvents, LimitChange
from workbench.session.status import DeviceInfo

if TYPE_CHECKING:
    from drivers.snapshot import ChannelTable

BENCH = read_bench(EMULATED_BENCH)
MAP = read_dut_map(BENCH.dut_map)
TABLE: ChannelTable = make_channel_table(BENCH, MAP)
STATES = {word: value for value, word in MAP.words("bms/state").items()}
FAULTS = {word: value for value, word in MAP.words("bms/fault").items()}
NORMAL = {
    "io/bms_power": 1.0,
    "bms/state": STATES["NORMAL"],
    "bms/fault": 0.0,
    "bms/fault_cell": 0.0,
    "bms/contactor": 1.0,
    "io/contactor": 1.0,
    "bms/charge_limit": 60.0,
    "bms/discharge_limit": 60.0,
}


class Turns:
    """Turns of a loop, 10 ms apart, over the values that a test names."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.device = DeviceEvents(MAP, self.told.append)
        self._values: dict[str, float] = dict(NORMAL)
        self._t_s = 100.0
        self.turn()

    def turn(self, state: BenchState = BenchState.RUNNING, **values: float) -> list[Event]:
        """Run one turn; return the events of it."""
        self._t_s += 0.01
        self._values |= {name.replace("__", "/"): value for name, value in values.items()}
        row = np.zeros(len(TABLE))
        for name, value in self._values.items():
            row[TABLE.index(name)] = value
        quality = np.full(len(TABLE), Quality.GOOD, dtype=np.uint8)
        snapshot = Snapshot(TABLE, self._t_s, row, np.full(len(TABLE), self._t_s), quality)
        tick: Any = SimpleNamespace(snapshot=snapshot, state=state)
        known = len(self.told)
        self.device.watch(tick)
        return self.told[known:]


def test_nothing_is_told_while_nothing_changes() -> None:
    turns = Turns()
    for _ in range(300):
        turns.turn()
    assert turns.told == []
    assert turns.device.info == DeviceInfo("NORMAL")


def test_a_fault_is_an_alarm_with_its_word_and_its_cell() -> None:
    turns = Turns()
    fault = FAULTS["CELL_OVERVOLTAGE"]
    state, alarm = turns.turn(bms__state=STATES["FAULT"], bms__fault=fault, bms__fault_cell=7.0)
    assert (state.level, state.text) == (Level.INFO, "state NORMAL → FAULT")
    assert (alarm.level, alarm.kind, alarm.text) == (
        Level.ALARM, EventKind.DEVICE_FAULT, "fault CELL_OVERVOLTAGE, cell 7",
    )  # fmt: skip
    assert turns.device.info == DeviceInfo("FAULT", "CELL_OVERVOLTAGE", 7)
    gone = turns.turn(bms__fault=0.0, bms__fault_cell=0.0)
    assert [event.text for event in gone] == ["fault CELL_OVERVOLTAGE, cell 7 is gone"]


@pytest.mark.parametrize(
    ("state", "level"), [(BenchState.RUNNING, Level.WARNING), (BenchState.CONNECTED, Level.INFO)], ids=str
)
def test_contactors_that_open_are_told_and_a_warning_while_the_bench_is_live(state: BenchState, level: Level) -> None:
    turns = Turns()
    (reported,) = turns.turn(state, bms__contactor=0.0)
    (read,) = turns.turn(state, io__contactor=0.0)
    assert [event.level for event in (reported, read)] == [level, level]
    assert reported.text == "contactors reported open"
    assert read.text == "auxiliary contact reads open"
    assert turns.turn(state, io__contactor=1.0)[0].level is Level.INFO


def test_a_device_that_is_switched_off_and_on_begins_anew() -> None:
    turns = Turns()
    turns.turn(io__bms_power=0.0)
    assert turns.turn(io__bms_power=1.0, bms__state=STATES["INIT"], bms__contactor=0.0) == []
    assert turns.device.info.state == "INIT"


def test_a_limit_that_steps_is_told_once() -> None:
    turns = Turns()
    said = [event for n in range(200) for event in turns.turn(bms__charge_limit=60.0 if n < 50 else 12.0)]
    assert [event.text for event in said] == ["charge limit 60.0 A → 12.0 A"]


def test_a_limit_that_ramps_or_trembles_is_no_flood() -> None:
    limit = LimitChange()
    told = [limit.take_change(60.0 + 0.05 * (n % 2), 0.01 * n) for n in range(500)]
    assert not any(told)
    ramp = [change for n in range(1000) if (change := limit.take_change(max(0.0, 60.0 - 0.08 * n), 5.0 + 0.01 * n))]
    assert ramp[-1][1] == 0.0
    assert len(ramp) < 20
    assert limit.take_change(0.0, 16.0) is None
