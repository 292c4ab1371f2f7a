from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from control.clock import SteppedClock
from drivers.canbus.dut_map import read_dut_map
from drivers.ports import Health, LinkState
from drivers.snapshot import Estimate, Quality, StateOfHealth
from edge_bridge import metrics
from edge_bridge.bundle.pack_gate import find_bench_name
from edge_bridge.bundle.runtime import configure
from edge_bridge.bundle.verify import verify
from edge_bridge.edge.pack_runtime import PackRuntime

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.canbus.dut import Contactor
    from drivers.snapshot import Bytes, Floats, PackReading
    from edge_bridge.bundle.runtime import Configuration
    from tests.edge_bridge.edge.conftest import Shelf

AT_REST = {
    "bms/state": 3.0,
    "bms/fault": 0.0,
    "bms/pack_voltage": 91.2,
    "bms/pack_current": 10.0,
    "bms/contactor": 1.0,
    "bms/charge_limit": 45.0,
    "bms/discharge_limit": 55.0,
}


class FakeBms:
    """A device that says what it is told to say, and remembers what it was asked.

    `age_s` of what it says; `old_s` of the channels that are older than that.
    """

    def __init__(self, configured: Configuration, clock: SteppedClock) -> None:
        self.map = read_dut_map(configured.dut_map)
        self.name, self.channels = "dut", self.map.channels
        self._clock = clock
        self.values = {channel.name: 3.8 if "cell" in channel.name else 298.15 for channel in self.channels} | AT_REST
        self.age_s = 0.01
        self.old_s: dict[str, float] = {}
        self.asked: list[Contactor] = []
        self.beats = 0

    def read(self, values: Floats, sampled_s: Floats, quality: Bytes) -> None:
        values[:] = [self.values[channel.name] for channel in self.channels]
        sampled_s[:] = [self._clock.now() - self.old_s.get(channel.name, self.age_s) for channel in self.channels]
        quality[:] = Quality.GOOD

    def health(self) -> Health:
        return Health(self.name, LinkState.OK)

    def heartbeat(self, on: bool) -> None:  # noqa: FBT001  # as the driver has it
        self.beats += on

    def request(self, contactor: Contactor) -> None:
        self.asked.append(contactor)


class Rig:
    def __init__(self, configured: Configuration) -> None:
        self.clock = SteppedClock(100.0)
        self.bms = FakeBms(configured, self.clock)
        self.beside = PackRuntime(configured, self.bms, self.bms, self.clock)

    def turns(self, count: int) -> None:
        for _ in range(count):
            self.beside.turn()
            self.clock.advance(0.1)


@pytest.fixture
def configured(shelf: Shelf, tmp_path: Path) -> Configuration:
    found = verify(shelf.first.read_bytes(), shelf.trust, now=datetime.now(UTC))
    return configure(found.bundle, tmp_path / "work")


@pytest.fixture
def rig(configured: Configuration) -> Rig:
    return Rig(configured)


def test_a_pack_that_is_well_gives_a_whole_row_and_no_doubt(rig: Rig) -> None:
    rig.turns(3)
    turn = rig.beside.turn()
    assert (turn.health.estimate_fault, turn.health.trip, turn.tripped, turn.closed) == ("", "", "", True)
    assert turn.values[metrics.CURRENT] == 10.0
    assert (turn.values[metrics.CELL_MIN], turn.values[metrics.CELL_MAX]) == (3.8, 3.8)
    assert (turn.values[metrics.BMS_STATE], turn.values[metrics.VERDICT]) == (3, "allowed")
    assert 0.0 < float(turn.values[metrics.SOC] or 0.0) < 1.0
    assert [name for name, value in turn.values.items() if value is None] == [*metrics.HEALTH]  # not known in a second
    assert rig.bms.beats == 4
    assert rig.bms.asked[-1] == "close"


@pytest.mark.parametrize(
    ("channel", "value"),
    [
        ("bms/cell_07/voltage", 4.26),
        ("bms/cell_24/voltage", 2.79),
        ("bms/pack_current", 60.5),
        ("bms/pack_current", -60.5),
        ("bms/temperature_3", 273.15 + 55.5),
        ("bms/temperature_8", 273.15 - 20.5),
    ],
)
def test_a_value_beyond_a_device_limit_trips_and_asks_for_open(rig: Rig, channel: str, value: float) -> None:
    rig.turns(2)
    rig.bms.values[channel] = value
    turn = rig.beside.turn()
    assert channel in turn.tripped
    assert "bench.toml:" in turn.tripped
    assert (turn.values[metrics.VERDICT], rig.bms.asked[-1]) == ("tripped", "open")


def test_a_trip_stays_when_the_value_is_back(rig: Rig) -> None:
    rig.bms.values["bms/cell_07/voltage"] = 4.4
    rig.turns(1)
    rig.bms.values["bms/cell_07/voltage"] = 3.8
    assert rig.beside.turn().tripped
    assert rig.bms.asked[-1] == "open"


def test_a_trip_of_before_keeps_the_contactor_open(rig: Rig) -> None:
    rig.beside.trip("cell_07 was too high yesterday")
    turn = rig.beside.turn()
    assert turn.tripped == "cell_07 was too high yesterday"
    assert turn.health.trip == ""  # it says nothing of this bundle
    assert rig.bms.asked == ["open"]


def test_a_silent_bms_holds_and_does_not_trip(rig: Rig) -> None:
    rig.turns(2)
    rig.bms.age_s = 2.0
    turn = rig.beside.turn()
    assert (turn.values[metrics.VERDICT], turn.tripped) == ("held", "")
    assert "silent" in str(turn.values[metrics.VERDICT_REASON])


@pytest.mark.parametrize(
    "channel", ["bms/charge_limit", "bms/discharge_limit", "bms/cell_05/voltage", "bms/temperature_1"]
)
def test_one_value_past_its_own_age_is_held_while_all_others_are_fresh(rig: Rig, channel: str) -> None:
    (most_s,) = (known.max_age_s for known in rig.bms.channels if known.name == channel)
    rig.turns(2)
    rig.bms.old_s[channel] = 0.9 * most_s
    assert rig.beside.turn().values[metrics.VERDICT] == "allowed"
    rig.bms.old_s[channel] = 1.1 * most_s
    turn = rig.beside.turn()
    assert (turn.values[metrics.VERDICT], turn.tripped) == ("held", "")
    assert str(turn.values[metrics.VERDICT_REASON]).startswith(f"{channel} is late")


def test_more_current_than_the_bms_allows_is_held(rig: Rig) -> None:
    rig.bms.values |= {"bms/discharge_limit": 8.0}
    turn = rig.beside.turn()
    assert turn.values[metrics.VERDICT] == "held"
    assert "the device allows" in str(turn.values[metrics.VERDICT_REASON])


def test_an_unknown_cell_is_doubted_by_name_and_the_rest_is_told(rig: Rig) -> None:
    rig.bms.values["bms/cell_05/voltage"] = np.nan
    turn = rig.beside.turn()
    assert "cell 5" in turn.health.estimate_fault
    assert turn.values[metrics.CELL_MIN] == 3.8


def test_a_bms_that_is_not_heard_gives_rows_of_nulls(rig: Rig) -> None:
    rig.bms.values = dict.fromkeys(rig.bms.values, float("nan"))
    turn = rig.beside.turn()
    assert turn.health.estimate_fault == "no message is received from the pack's BMS"
    assert (turn.values[metrics.VOLTAGE], turn.values[metrics.BMS_STATE]) == (None, None)
    assert not turn.closed


def test_the_health_of_the_pack_is_in_its_row_and_null_where_one_cell_is_not_known(
    configured: Configuration,
) -> None:
    cells = np.ones(configured.pack.cells)
    lowest, unknown = cells.copy(), cells.copy()
    lowest[3], unknown[3] = 0.5, np.nan

    class Aged:
        def update(self, reading: PackReading, dt_s: float) -> Estimate:
            del reading, dt_s
            return Estimate(0.5 * cells, 0.01 * cells, soh=StateOfHealth(lowest, 0.02 * cells, unknown, cells))

    object.__setattr__(configured, "estimator", Aged())
    values = Rig(configured).beside.turn().values
    mean = 1.0 - 0.5 / len(cells)
    assert [values[name] for name in metrics.HEALTH[:3]] == pytest.approx([mean, 0.02, 0.5])
    assert values[metrics.GROWTH] is None


def test_an_estimator_that_raises_is_out_and_the_rows_go_on(configured: Configuration) -> None:
    class Broken:
        def update(self, reading: PackReading, dt_s: float) -> Estimate:
            raise ZeroDivisionError(f"{dt_s} of {reading.t_s}")

    object.__setattr__(configured, "estimator", Broken())
    rig = Rig(configured)
    turn = rig.beside.turn()
    assert turn.health.estimate_fault.startswith("the estimator failed: ZeroDivisionError")
    assert (turn.values[metrics.SOC], turn.values[metrics.CURRENT]) == (None, 10.0)
    assert rig.beside.turn().values[metrics.VERDICT] == "allowed"


def test_a_belief_that_is_not_a_number_is_doubted(configured: Configuration) -> None:
    class Wild:
        def update(self, reading: PackReading, dt_s: float) -> Estimate:
            from drivers.snapshot import Estimate  # noqa: PLC0415  # only this estimator needs it

            del dt_s
            soc = np.full(reading.voltage_v.size, 0.5)
            soc[3] = np.nan
            return Estimate(soc, np.full(soc.size, 0.1))

    object.__setattr__(configured, "estimator", Wild())
    turn = Rig(configured).beside.turn()
    assert turn.health.estimate_fault == "the estimate of cell 4 is not a number"
    assert turn.values[metrics.SOC] is None


def test_channels_of_the_bms_find_the_limits_of_the_bench() -> None:
    assert find_bench_name("bms/pack_current") == "supply/current"
    assert find_bench_name("bms/cell_07/voltage") == "cell_07/voltage"
    assert find_bench_name("bms/temperature_3") == "bms/temperature_3"
