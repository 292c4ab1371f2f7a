"""The MPC as a shadow in a whole loop on the stepped clock: the twin is the plant, the profile drives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from control import mpc, profile
from control.current_profile import read_current_profile
from control.lanes import Lanes
from control.loop import Loop
from control.state import BenchState
from tests.control.fakes import CELLS, Rig, rig
from twin import ekf, spme
from twin.ports import PackSpec

if TYPE_CHECKING:
    from drivers.snapshot import Floats

DUTY = {"file": str(Path(__file__).parents[2] / "fixtures" / "benches" / "duty.csv")}
MPC = {**DUTY, "voltage_v": [3.0, 4.18], "temperature_degc": 45.0}
PACK = PackSpec(CELLS, 12, 5.0, np.array([0.62, 0.61]), np.ones(CELLS), np.ones(CELLS), 298.0)
DEAD = {f"bms/cell_{n:02d}/voltage": 0.0 for n in range(1, CELLS + 1)}


@pytest.fixture
def made() -> Rig:
    """Two SPMe cells, a filter that begins 2 % off, and the MPC beside the profile; cells dead until armed."""
    made = rig()
    now = made.clock.now
    controllers: dict[str, Any] = {"Profile": profile.build(PACK, DUTY), "MPC": mpc.build(PACK, MPC)}
    parts = replace(
        made.loop.parts,
        twins=Lanes("twin", {"SPMe": spme.build(PACK, {})}, "SPMe", now),
        estimators=Lanes("estimator", {"EKF": ekf.build(PACK, {"soc0": 0.6})}, "EKF", now),
        controllers=Lanes("controller", controllers, "Profile", now),
    )
    made.loop = Loop(parts)
    made.bench.values |= DEAD
    made.to(BenchState.CONNECTED)
    made.turns(50)
    made.to(BenchState.ARMED)
    made.turns(50)
    made.to(BenchState.RUNNING)
    return made


def wishes(made: Rig, lane: str, turns: int) -> Floats:
    before = len(made.kept.ticks)
    made.turns(turns)
    return np.array([tick.decisions[lane].current_a for tick in made.kept.ticks[before:]])


def test_in_the_shadow_it_follows_the_duty_from_the_first_turn_of_a_run(made: Rig) -> None:
    asked_a = wishes(made, "MPC", 1500)
    wanted_a = read_current_profile(DUTY, 60.0).at(np.arange(1500, dtype=np.float64) * 0.01)
    assert np.abs(asked_a - wanted_a)[:190].max() < 0.1
    assert (np.abs(asked_a - wanted_a) < 0.5).mean() > 0.97
    assert made.loop.tick is not None
    assert made.loop.tick.decisions["MPC"].violations == 0


def test_a_second_run_begins_with_the_cells_as_they_are_and_not_as_they_were(made: Rig) -> None:
    made.turns(700)
    made.to(BenchState.ARMED)
    made.turns(50)
    made.bench.values |= DEAD
    made.bench.stuck |= set(DEAD)
    made.turns(50)
    made.bench.stuck.clear()
    made.turns(50)
    made.to(BenchState.RUNNING)
    assert np.abs(wishes(made, "MPC", 100) - 30.0).max() < 0.5


def test_it_takes_the_bench_over_in_the_middle_of_a_run_without_a_bump(made: Rig) -> None:
    made.turns(700)
    made.loop.activate("controller", "MPC")
    flowing_a = [made.kept.ticks[-1].verdict.apply.current_a, *wishes(made, "MPC", 200)]
    assert np.abs(np.diff(flowing_a)).max() < 1.0
