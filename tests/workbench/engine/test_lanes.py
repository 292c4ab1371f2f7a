from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest

from control.gate_config import make_pack_spec
from control.lane_outputs import run_controller
from control.mpc_plan import MpcPlan
from control.ports import CurrentRange
from drivers.benchfile import read_bench
from drivers.snapshot import Estimate, PackReading
from tests.edge_bridge.bundle.conftest import HIL24
from workbench.engine.lanes import build_lanes


@pytest.mark.parametrize(("shadows", "names"), [(True, {"EKF", "Coulomb counting"}), (False, {"EKF"})])
def test_a_role_has_its_active_lane_and_where_wanted_the_shadows(*, shadows: bool, names: set[str]) -> None:
    bench = read_bench(HIL24)
    lanes = build_lanes(bench, "estimator", make_pack_spec(bench), shadows=shadows)
    assert {lane.name for lane in lanes.all} == names
    assert lanes.active == "EKF"


def test_only_the_first_turn_has_two_plans_also_where_turns_are_left_out() -> None:
    bench = read_bench(HIL24)
    pack = make_pack_spec(bench)
    cells = np.ones(pack.cells)
    reading = PackReading(0.0, 0.0, 0.0 * cells, 3.75 * cells, 298.15 * cells)
    estimate, wide = Estimate(pack.soc0, 0.01 * cells), CurrentRange(60.0, 60.0)
    lanes = build_lanes(bench, "controller", pack, shadows=True)
    plans = list[int]()
    with patch.object(MpcPlan, "solve", autospec=True, side_effect=MpcPlan.solve) as solve:
        for dt_s in 3 * [*35 * [0.01], 0.02]:
            lanes.run(run_controller(reading, estimate, wide, dt_s), [])
            plans.append(solve.call_count - sum(plans))
    assert plans[0] == 2, "MPC, and the MPC behind the policy"
    assert max(plans[1:]) == 1
    assert sum(plans) == pytest.approx(22, abs=2), "each plans ten times a second"
