"""A message that stops while all others go on: no decision uses what it said for longer than its own age."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from control.gate import Allowed, Held
from control.gate_config import make_gate_config
from control.snapshot_builder import Wiring
from control.state import BenchState
from drivers.benchfile import read_bench
from drivers.canbus.dut_map import read_dut_map
from drivers.event import EventKind, Level
from drivers.snapshot import Channel, ChannelTable, Quality, Snapshot
from tests.control.fakes import PERIOD_S, Rig, rig
from tests.control.walks import told

AGE_S: Final = 0.06
LIMIT_AGE_S: Final = 0.1
BENCHES: Final = Path(__file__).parents[2] / "fixtures" / "benches"
AGES: Final = {
    "bms/pack_current": AGE_S,
    "bms/cell_01/voltage": AGE_S,
    "bms/cell_02/voltage": AGE_S,
    "bms/temperature_1": AGE_S,
}


def running(ages_s: dict[str, float]) -> Rig:
    made = rig(ages_s)
    made.to(BenchState.CONNECTED, BenchState.ARMED, BenchState.RUNNING)
    made.active.current_a = 3.0
    made.turns(5)
    return made


def stop(made: Rig, *names: str) -> None:
    """What carries `names` is not heard from now on."""
    made.bench.sampled_s |= dict.fromkeys(names, made.clock.now())


@pytest.mark.parametrize("name", ["bms/pack_current", "bms/cell_02/voltage", "bms/temperature_1"])
def test_the_gate_holds_and_then_ramps_when_a_message_stops(name: str) -> None:
    made = running(AGES)
    stop(made, name)
    made.turns(30)
    currents = [(tick.verdict, tick.verdict.apply.current_a) for tick in made.kept.ticks[5:]]
    fresh = round(AGE_S / PERIOD_S)
    assert all(isinstance(verdict, Allowed) for verdict, _ in currents[: fresh - 1])
    held = [(verdict, current_a) for verdict, current_a in currents if isinstance(verdict, Held)]
    assert [current_a for _, current_a in held][:7] == pytest.approx([3.0, 3.0, 3.0, 2.0, 1.0, 0.0, 0.0], abs=1e-9)
    assert len(held) in {len(currents) - fresh, len(currents) - fresh - 1}
    assert f"{name} is late: 0.0" in held[0][0].reason
    del made.bench.sampled_s[name]
    assert isinstance(made.turns(2).verdict, Allowed)


@pytest.mark.parametrize("name", ["bms/pack_current", "bms/cell_01/voltage"])
def test_the_estimators_hold_and_say_so_once_when_a_message_stops(name: str) -> None:
    made = running(AGES)
    stop(made, name)
    made.turns(20)
    assert made.estimator.dts_s[-1] == 0.0
    assert made.estimator.dts_s[6] == pytest.approx(PERIOD_S)
    (hold,) = told(made, EventKind.ESTIMATORS_HOLD)
    assert (hold.level, hold.data["reason"]) == (Level.INFO, f"{name} is 0.070 s old, limit 0.060 s")
    del made.bench.sampled_s[name]
    made.turns(2)
    assert made.estimator.dts_s[-1] == pytest.approx(PERIOD_S)
    assert len(told(made, EventKind.ESTIMATORS_RESUME)) == len(told(made, EventKind.ESTIMATORS_HOLD)) == 1


def test_a_temperature_that_stops_does_not_make_the_estimators_hold() -> None:
    made = running(AGES)
    stop(made, "bms/temperature_1")
    made.turns(20)
    assert made.estimator.dts_s[-1] == pytest.approx(PERIOD_S)
    assert np.isnan(made.estimator.readings[-1].temperature_k).all()


@pytest.mark.parametrize("side", ["charge", "discharge"])
def test_a_current_limit_that_stops_is_zero(side: str) -> None:
    made = running({f"bms/{side}_limit": LIMIT_AGE_S})
    stop(made, f"bms/{side}_limit")
    for turns, limit_a in ((9, 60.0), (5, 0.0)):
        made.turns(turns)
        assert made.active.allowed is not None
        assert getattr(made.active.allowed, f"{side}_a") == limit_a
    other = "discharge" if side == "charge" else "charge"
    assert getattr(made.active.allowed, f"{other}_a") == 60.0


def test_what_the_controllers_see_of_a_stopped_message_is_no_number() -> None:
    made = running(AGES)
    stop(made, "bms/pack_current", "bms/cell_01/voltage")
    made.turns(20)
    reading = made.estimator.readings[-1]
    assert math.isnan(reading.current_a)
    assert np.isnan(reading.voltage_v).tolist() == [True, False]


def snapshot(value: float, age_s: float, quality: Quality = Quality.GOOD) -> Snapshot:
    table = ChannelTable((Channel("bms/charge_limit", "A", 0.0, 400.0, max_age_s=0.3),))
    return Snapshot(table, 10.0, np.array([value]), np.array([10.0 - age_s]), np.array([quality], dtype=np.uint8))


@pytest.mark.parametrize(
    ("seen", "known", "doubt"),
    [
        (snapshot(50.0, 0.2999), 50.0, ""),
        (snapshot(50.0, 0.3001), math.nan, "bms/charge_limit is 0.300 s old, limit 0.300 s"),
        (snapshot(50.0, -0.4), math.nan, "bms/charge_limit is -0.400 s old, limit 0.300 s"),
        (snapshot(50.0, math.nan), math.nan, "bms/charge_limit is nan s old, limit 0.300 s"),
        (snapshot(6553.5, 0.0, Quality.IMPLAUSIBLE), math.nan, "bms/charge_limit is not known"),
        (snapshot(math.nan, 0.0, Quality.MISSING), math.nan, "bms/charge_limit is not known"),
    ],
)
def test_a_value_is_known_within_its_age_and_its_range(seen: Snapshot, known: float, doubt: str) -> None:
    assert seen.known.tolist() == pytest.approx([known], nan_ok=True)
    assert seen.doubt(np.array([0])) == doubt


def test_the_shipped_bench_gives_each_value_of_the_device_its_own_age() -> None:
    bench = read_bench(BENCHES / "hil24.toml")
    cells = [
        Channel(f"cell_{n:02d}/{what}", unit)
        for n in range(1, 25)
        for what, unit in (("voltage", "V"), ("current", "A"))
    ]
    supply = [Channel(f"supply/{what}", unit) for what, unit in (("voltage", "V"), ("current", "A"), ("output", "1"))]
    box = [Channel(name, "1") for name in ("io/estop", "io/contactor")]
    table = ChannelTable((*cells, *supply, *box, *read_dut_map(bench.dut_map).channels))
    wiring = Wiring.hil(24, bench.io_box.thermistors)
    spec = make_gate_config(bench, table, bench.limits(table), wiring)
    late_s = dict(zip(table.names, spec.late_s.tolist(), strict=True))
    assert late_s["bms/pack_current"] == pytest.approx(0.16)
    assert late_s["bms/cell_07/voltage"] == pytest.approx(0.3)
    assert late_s["bms/temperature_8"] == pytest.approx(3.0)
    assert late_s["supply/current"] == pytest.approx(0.16)
    assert math.isinf(late_s["bms/charge_limit"])  # stale it is 0 A, which the controllers keep
