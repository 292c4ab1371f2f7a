"""Faults are injected and cleared one by one, also when the same one is injected twice."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from control.state import BenchState
from drivers.benchfile.read import read_bench
from drivers.canbus.dut_map import read_dut_map
from drivers.errors import BenchError
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.engine.injected_faults import InjectedFaults, find_fault_voltages, list_specs
from workbench.session.bench_info import NumberParameter

BENCH = read_bench(EMULATED_BENCH)
CELL_V = 3.6


class Station:
    """A bench whose emulators clear all faults of one kind together, as the emulated bench does."""

    def __init__(self) -> None:
        self.beats = True
        self.wires: set[int] = set()
        self.muted: set[str] = set()
        self.offsets_v: dict[int, float] = {}
        self.loop = SimpleNamespace(
            faults={},
            machine=SimpleNamespace(state=BenchState.CONNECTED),
            tick=SimpleNamespace(twins={"twin": SimpleNamespace(voltage_v=np.full(24, CELL_V))}),
            parts=SimpleNamespace(twins=SimpleNamespace(active="twin")),
        )
        self.bench, self.emulated = BENCH, self
        self.dut = SimpleNamespace(map=read_dut_map(BENCH.dut_map), heartbeat=self._heartbeat)
        self.cells = SimpleNamespace(prepare=lambda: None, fault_relay=self._relay)

    def _heartbeat(self, *, on: bool) -> None:
        self.beats = on

    def _relay(self, cell: int, state: str) -> None:
        (self.wires.discard if state == "normal" else self.wires.add)(cell)

    def has_part(self, part: str) -> bool:
        return bool(part)

    def inject(self, fault: str, **at: Any) -> None:
        if fault == "mute":
            self.muted.add(at["instrument"])
        else:
            self.offsets_v[at["cell"]] = at["volts"]

    def clear(self, fault: str) -> None:
        (self.muted if fault == "mute" else self.offsets_v).clear()


@pytest.fixture
def station() -> Station:
    return Station()


@pytest.fixture
def faults(station: Station) -> InjectedFaults:
    return InjectedFaults(cast("Any", station))


FAULTS: list[tuple[str, dict[str, float | str]]] = [
    ("cell voltage", {"cell": 7, "volts": 4.3}),
    ("bench voltage", {"cell": 7, "volts": 5.1}),
    ("open wire", {"cell": 7}),
    ("heartbeat stopped", {}),
    ("silent instrument", {"instrument": "supply"}),
]


def acts(station: Station) -> bool:
    """Whether anything is injected."""
    return bool(station.loop.faults or station.offsets_v or station.wires or station.muted or not station.beats)


@pytest.mark.parametrize(("name", "parameters"), FAULTS, ids=[name for name, _ in FAULTS])
def test_the_same_fault_twice_acts_until_both_are_cleared(
    station: Station, faults: InjectedFaults, name: str, parameters: dict[str, float | str]
) -> None:
    first, second = faults.inject(name, parameters), faults.inject(name, parameters)
    faults.clear(first)
    assert acts(station)
    assert [fault.number for fault in faults.injected] == [second]
    faults.clear(second)
    assert not acts(station)


@pytest.mark.parametrize(("name", "parameters"), FAULTS, ids=[name for name, _ in FAULTS])
def test_a_reset_clears_the_same_fault_twice(
    station: Station, faults: InjectedFaults, name: str, parameters: dict[str, float | str]
) -> None:
    for _ in range(2):
        faults.inject(name, parameters)
    faults.clear_all()
    assert not acts(station)
    assert faults.injected == ()


def test_the_newest_of_two_values_shows_and_the_older_one_comes_back(station: Station, faults: InjectedFaults) -> None:
    faults.inject("cell voltage", {"cell": 7, "volts": 4.3})
    newer = faults.inject("cell voltage", {"cell": 7, "volts": 4.5})
    assert station.loop.faults[7] == pytest.approx(4.5 - CELL_V)
    faults.clear(newer)
    assert station.loop.faults[7] == pytest.approx(4.3 - CELL_V)


def test_another_instrument_stays_silent_when_one_is_cleared(station: Station, faults: InjectedFaults) -> None:
    supply = faults.inject("silent instrument", {"instrument": "supply"})
    faults.inject("silent instrument", {"instrument": "io_box"})
    faults.clear(supply)
    assert station.muted == {"io_box"}


def test_a_fault_that_cannot_be_cleared_keeps_no_other(station: Station, faults: InjectedFaults) -> None:
    def refuse(cell: int, state: str) -> None:
        if state == "normal":
            raise BenchError(f"relay {cell} does not move")
        station.wires.add(cell)

    station.cells.fault_relay = refuse
    faults.inject("cell voltage", {"cell": 7, "volts": 4.3})
    faults.inject("open wire", {"cell": 3})
    with pytest.raises(BenchError, match="relay 3"):
        faults.clear_all()
    assert station.loop.faults == {}


@pytest.mark.parametrize("cells", [1, 7, 24])
def test_what_is_offered_first_is_a_cell_of_the_pack(cells: int) -> None:
    offered = [
        parameter
        for spec in list_specs(cells, 8, ("BMS_Pack",), find_fault_voltages(BENCH))
        for parameter in spec.parameters
    ]
    numbers = [parameter for parameter in offered if isinstance(parameter, NumberParameter)]
    assert [number.default for number in numbers if number.name == "cell"] == [min(7, cells)] * 3
    assert all(number.allows(number.default) for number in numbers)


@pytest.mark.parametrize(("name", "device_v"), [("hil24.toml", 4.3), ("lfp16.toml", 3.7)])
def test_what_is_offered_is_just_past_the_limits_of_the_cell(name: str, device_v: float) -> None:
    bench = read_bench(EMULATED_BENCH.with_name(name))
    assert find_fault_voltages(bench) == (device_v, 5.1)
