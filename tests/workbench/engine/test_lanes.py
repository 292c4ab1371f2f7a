from __future__ import annotations

import pytest

from control.gate_config import make_pack_spec
from drivers.benchfile import read_bench
from tests.edge_bridge.bundle.conftest import HIL24
from workbench.engine.lanes import build_lanes


@pytest.mark.parametrize(("shadows", "names"), [(True, {"EKF", "Coulomb counting"}), (False, {"EKF"})])
def test_a_role_has_its_active_lane_and_where_wanted_the_shadows(*, shadows: bool, names: set[str]) -> None:
    bench = read_bench(HIL24)
    lanes = build_lanes(bench, "estimator", make_pack_spec(bench.pack), shadows=shadows)
    assert {lane.name for lane in lanes.all} == names
    assert lanes.active == "EKF"
