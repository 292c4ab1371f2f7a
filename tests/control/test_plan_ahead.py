"""Plans of controllers on their way into the status: what they hold, and lanes that have none or fail."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from control import mpc
from control.current_profile import read_current_profile
from control.lanes import Lanes
from control.ports import CurrentRange, Plan
from control.rl import lane
from control.rl.policy import Policy
from control.tasks.task import find_task, read_task
from drivers.snapshot import Estimate, PackReading
from tests.control.rl.duty_policy import make_duty_policy
from twin.ports import PackSpec
from workbench.engine.status import MOST_STEPS, read_plans

if TYPE_CHECKING:
    from pathlib import Path

WIDE = CurrentRange(60.0, 60.0)


PACK = PackSpec(2, 12, 5.0, np.full(2, 0.6), np.ones(2), np.ones(2), 298.15)
READING = PackReading(0.0, 10.0, np.zeros(2), np.full(2, 3.8), np.full(2, 298.15))
ESTIMATE = Estimate(np.full(2, 0.6), np.full(2, 0.01))


@pytest.fixture
def duty(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "duty.csv"
    path.write_text("t_s,current_a\n0,10\n5,10\n5,20\n1000,20\n")
    return {"file": str(path)}


def test_the_plan_of_the_mpc_follows_the_duty(duty: dict[str, str]) -> None:
    controller = mpc.build(PACK, {**duty, "horizon": 24, "step_s": 0.5})
    for _ in range(5):
        controller.decide(READING, ESTIMATE, WIDE, 0.1)
    plan = read_plans(Lanes("controller", {"MPC": controller}, "MPC", lambda: 0.0))["MPC"]
    assert plan.step_s == pytest.approx(0.5)
    assert len(plan.current_a) == 24
    assert plan.current_a[0] == pytest.approx(10.0, abs=0.5)
    assert plan.current_a[-1] == pytest.approx(20.0, abs=0.5)


def make_policy_lane(duty: dict[str, str], data: bytes) -> lane.RlController:
    task = read_task(find_task("duty_tracking"))
    policy, inputs = Policy(data, "by hand"), lane.PolicyInputs(task, read_current_profile(duty, 60.0), 12.0)
    distrust = lane.find_distrust(policy, task)
    return lane.RlController(policy, inputs, mpc.build(PACK, duty), distrust=distrust)


def test_the_plan_of_a_policy_is_what_it_requests_along_the_duty(duty: dict[str, str]) -> None:
    controller = make_policy_lane(duty, make_duty_policy())
    assert controller.plan_ahead is None, "it has seen nothing yet"
    controller = make_policy_lane(duty, make_duty_policy())
    for _ in range(5):
        controller.decide(READING, ESTIMATE, WIDE, 0.1)
    plan = controller.plan_ahead
    assert plan is not None
    assert len(plan.current_a) == lane.AHEAD
    assert plan.current_a[0] == pytest.approx(10.0, abs=0.5)
    assert plan.current_a[-1] == pytest.approx(20.0, abs=0.5)
    assert controller.plan_ahead is plan, "within a second it is not computed again"


def test_a_policy_that_must_not_act_has_no_plan(duty: dict[str, str]) -> None:
    controller = make_policy_lane(duty, make_duty_policy(cell_sha256="0" * 64))
    controller.decide(READING, ESTIMATE, WIDE, 0.1)
    assert controller.plan_ahead is None


class BrokenPlan:
    @property
    def plan_ahead(self) -> Plan:
        raise ValueError("no plan")


def test_a_lane_without_a_plan_or_with_a_broken_one_shows_none() -> None:
    whole = Plan(0.5, (1.0, 2.0))
    parts = {
        "whole": SimpleNamespace(plan_ahead=whole),
        "none": SimpleNamespace(plan_ahead=None),
        "other": SimpleNamespace(plan_ahead=(1.0, 2.0)),
        "without": SimpleNamespace(),
        "broken": BrokenPlan(),
        "failed": SimpleNamespace(plan_ahead=whole),
    }
    lanes = Lanes[object]("controller", parts, "whole", lambda: 0.0)
    lanes["failed"].failure = "it raised"
    assert read_plans(lanes) == {"whole": whole}


def test_a_plan_that_is_too_long_is_cut() -> None:
    long = SimpleNamespace(plan_ahead=Plan(1.0, (0.0,) * (MOST_STEPS + 1)))
    lanes = Lanes[object]("controller", {"long": long}, "long", lambda: 0.0)
    assert len(read_plans(lanes)["long"].current_a) == MOST_STEPS
