from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from control.gate import Held, Tripped
from control.shadow.scores import ShadowScore
from control.shadow.watcher import ShadowScores
from control.state import BenchState
from control.tick import TickLayout
from drivers.snapshot import Estimate, StateOfHealth
from tests.control.fakes import CELLS, Rig, rig
from twin.ports import HealthEstimate, StateOfPower

SCORED = ("cost", "violations", "interventions")


def layout(made: Rig) -> TickLayout:
    twins = {"model": (0, 1), "other": (0, 1)}
    table = made.loop.parts.snapshot_builder.table
    return TickLayout(table, twins, ["belief"], ["duty", "other"], CELLS, commanded=CELLS)


def filled(made: Rig, turns: int) -> dict[str, float]:
    shape = layout(made)
    out = np.zeros(len(shape.table))
    shape.fill(made.turns(turns), out)
    return dict(zip(shape.table.names, out.tolist(), strict=True))


def running() -> Rig:
    made = rig()
    for state in (BenchState.CONNECTED, BenchState.ARMED, BenchState.RUNNING):
        made.loop.machine.to(state)
    return made


def test_measured_columns_come_first_in_their_order() -> None:
    made = running()
    shape = layout(made)
    assert shape.measured == len(made.loop.parts.snapshot_builder.table)
    assert shape.table.names[: shape.measured] == made.loop.parts.snapshot_builder.table.names


def test_a_row_holds_what_lanes_and_gate_said() -> None:
    row = filled(running(), 3)
    assert row["supply/current"] == 5.0
    assert row["command/current"] == row["allowed/current"] == row["controller/duty/current"] == 5.0
    assert row["controller/other/current"] == -7.0
    assert (row["controller/duty/cost"], row["controller/duty/violations"]) == (0.25, 3.0)
    assert row["twin/model/cell_01/voltage"] == row["allowed/cell_01/voltage"] == pytest.approx(3.695)
    assert row["twin/other/cell_02/voltage"] == pytest.approx(3.795)
    assert row["twin/model/cell_02/temperature"] == 298.0
    assert row["twin/model/cell_01/soc"] == row["estimator/belief/cell_02/soc"] == row["estimator/belief/soc"] == 0.6
    assert row["estimator/belief/soc_std"] == row["estimator/belief/cell_01/soc_std"] == 0.01
    assert (row["gate/verdict"], row["gate/ticks_left"], row["bench/state"]) == (0.0, 0.0, 3.0)
    assert row["loop/twin"] == 0.0
    unknown = [name for name, value in row.items() if math.isnan(value)]
    words = "/r0", "power", "/soh", "/resistance_growth", "_loop_", "shadow_age"  # nobody scores this loop
    assert all(any(word in name for word in words) for name in unknown), "nothing else may be missing"


def test_the_shadow_score_of_a_controller_is_kept_with_its_age() -> None:
    told = running().turns(1)
    shape = layout(rig())
    out = np.zeros(len(shape.table))
    shape.fill(replace(told, shadow=ShadowScores({"other": ShadowScore(0.5, 1.0, 2.0, 0.7, 3.0, 4.0)}, 0.25)), out)
    row = dict(zip(shape.table.names, out.tolist(), strict=True))
    assert [row[f"controller/other/open_loop_{what}"] for what in SCORED] == [0.5, 1.0, 2.0]
    assert [row[f"controller/other/closed_loop_{what}"] for what in SCORED] == [0.7, 3.0, 4.0]
    assert row["controller/other/shadow_age"] == 0.25
    assert row["controller/other/step"] == told.step_s["controller", "other"]
    assert math.isnan(row["controller/duty/shadow_age"])
    assert math.isnan(row["controller/duty/open_loop_cost"])


def test_a_row_tells_which_twin_was_active_when_it_was_made() -> None:
    made = running()
    made.other_twin.offset_v = 0.0
    assert filled(made, 1)["loop/twin"] == 0.0
    made.loop.activate("twin", "other")
    assert filled(made, 1)["loop/twin"] == 1.0


def test_what_a_lane_believes_of_resistance_and_power_is_kept() -> None:
    made = running()
    told = made.turns(1)
    soc = np.full(CELLS, 0.5)
    powers = (
        StateOfPower(900.0, 850.0, 950.0, 500.0, 450.0, 550.0),
        StateOfPower(800.0, 700.0, 900.0, 400.0, 300.0, 500.0),
    )
    belief = HealthEstimate(soc, soc, 0.001 * np.arange(1.0, CELLS + 1), 0.0001 * soc, powers, power_held=True)
    shape = layout(made)
    out = np.zeros(len(shape.table))
    shape.fill(replace(told, estimates={"belief": belief}), out)
    row = dict(zip(shape.table.names, out.tolist(), strict=True))
    assert [row[f"estimator/belief/cell_{n:02d}/r0"] for n in (1, 2)] == [0.001, 0.002]
    assert row["estimator/belief/r0_std"] == pytest.approx(0.00005)
    for name, values in {
        "discharge_power": (900.0, 850.0, 950.0),
        "charge_power": (500.0, 450.0, 550.0),
        "discharge_power_60s": (800.0, 700.0, 900.0),
        "charge_power_60s": (400.0, 300.0, 500.0),
    }.items():
        assert tuple(row[f"estimator/belief/{name}{side}"] for side in ("", "_low", "_high")) == values
    assert row["estimator/belief/power_held"] == 1.0
    assert row["estimator/belief/step"] == told.step_s["estimator", "belief"]
    assert math.isnan(row["estimator/belief/soh"])


def test_the_health_of_the_pack_is_kept_beside_its_charge() -> None:
    made = running()
    told = made.turns(1)
    cells = np.arange(1.0, CELLS + 1)
    soh = StateOfHealth(1.0 - 0.1 * cells, 0.01 * cells, 1.0 + 0.1 * cells, 0.02 * cells)
    shape = layout(made)
    out = np.zeros(len(shape.table))
    shape.fill(replace(told, estimates={"belief": Estimate(0.5 * cells, 0.1 * cells, soh=soh)}), out)
    row = dict(zip(shape.table.names, out.tolist(), strict=True))
    names = ("soh", "soh_std", "soh_min", "resistance_growth", "resistance_growth_std")
    kept = [row[f"estimator/belief/{name}"] for name in names]
    mean = float(cells.mean())
    assert kept == pytest.approx([1.0 - 0.1 * mean, 0.01 * mean, 1.0 - 0.1 * CELLS, 1.0 + 0.1 * mean, 0.02 * mean])
    assert row["estimator/belief/step"] == told.step_s["estimator", "belief"]
    assert math.isnan(row["estimator/belief/charge_power"])


def test_what_was_asked_and_what_was_allowed_are_both_kept() -> None:
    made = running()
    made.turns(2)
    made.loop.faults[1] = 3.0
    row = filled(made, 1)
    assert row["command/cell_01/voltage"] == pytest.approx(6.695)
    assert row["allowed/cell_01/voltage"] == pytest.approx(3.695)
    assert (row["gate/verdict"], row["gate/ticks_left"]) == (1.0, 2.0)


def test_a_lane_that_failed_reads_nan() -> None:
    made = running()
    made.other_twin.broken = True
    made.turns(1)
    row = filled(made, 1)
    assert math.isnan(row["twin/other/cell_01/voltage"])
    assert math.isnan(row["twin/other/step"])
    assert row["twin/model/age"] == 0.0


def test_a_trip_reads_two() -> None:
    made = running()
    made.turns(1)
    made.loop.trip("test")
    row = filled(made, 1)
    assert (row["gate/verdict"], row["bench/state"], row["allowed/current"]) == (2.0, 4.0, 0.0)


def test_verdicts_carry_both_commands() -> None:
    made = running()
    made.active.current_a = 99.0
    held = made.turns(2).verdict
    assert isinstance(held, Held)
    assert (held.requested.current_a, held.apply.current_a) == (99.0, 0.0)
    made.loop.trip("test")
    tripped = made.turns(1).verdict
    assert isinstance(tripped, Tripped)
    assert (tripped.requested.current_a, tripped.apply.current_a) == (0.0, 0.0)
