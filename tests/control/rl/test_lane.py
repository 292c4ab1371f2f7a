"""The lane of a policy: it follows, the shield corrects it, and the MPC decides where it cannot be trusted."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from control import mpc, rl
from control.current_profile import read_current_profile
from control.ports import CurrentRange, Fallback
from control.rl.lane import RlController
from control.rl.policy import Policy
from control.rl.policy_inputs import PolicyInputs, find_distrust
from control.tasks.task import find_task, read_task
from drivers.errors import BenchFileError, Usage
from drivers.snapshot import Estimate, PackReading
from tests.control.rl.duty_policy import make_duty_policy
from tests.control.tasks.small import write_own_task
from twin.ports import PackSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from control.ports import Controller, Decision

CELLS, DT_S = 4, 0.01
DUTY = {"file": str(Path(__file__).parents[3] / "fixtures" / "benches" / "duty.csv")}
PACK = PackSpec(CELLS, 12, 5.0, np.full(CELLS, 0.6), np.ones(CELLS), np.ones(CELLS), 298.15)
WIDE = CurrentRange(60.0, 60.0)
TASK = read_task(find_task("duty_tracking"))


def made(data: bytes, now: Callable[[], float] = float) -> RlController:
    """The lane; unless told otherwise its clock stands, so that no answer is late."""
    inputs = PolicyInputs(TASK, read_current_profile(DUTY, 60.0), 12 * 5.0 / TASK.cell.capacity_ah)
    policy = Policy(data, "by hand")
    return RlController(policy, inputs, mpc.build(PACK, DUTY), distrust=find_distrust(policy, TASK), now=now)


def reading(volts: float = 3.75, current_a: float = 0.0, kelvin: float = 298.15) -> PackReading:
    return PackReading(0.0, current_a, np.zeros(CELLS), np.full(CELLS, volts), np.full(CELLS, kelvin))


def belief(soc: float = 0.6) -> Estimate:
    return Estimate(np.full(CELLS, soc), np.full(CELLS, 0.01))


def run(controller: Controller, turns: int, make: Callable[[], PackReading] = reading, soc: float = 0.6) -> Decision:
    return [controller.decide(make(), belief(soc), WIDE, DT_S) for _ in range(turns)][-1]


def test_it_follows_the_duty_by_its_policy() -> None:
    controller = made(make_duty_policy())
    decision = run(controller, 600)
    assert (decision.fallback, decision.note, decision.interventions) == (Fallback.NONE, "", 0)
    assert decision.current_a == pytest.approx(30.0, abs=0.5), "the duty is 30 A from 2 to 12 s"


def test_a_value_outside_the_trained_range_hands_over_to_the_mpc_until_it_is_inside_again() -> None:
    names = Policy(make_duty_policy(), "").info.names
    high = [1e4] * len(names)
    high[names.index("high_k")] = 310.0
    controller, instead = made(make_duty_policy(high=tuple(high))), mpc.build(PACK, DUTY)
    for kelvin, fallback in ((298.15, Fallback.NONE), (312.0, Fallback.OTHER), (298.15, Fallback.NONE)):
        here = partial(reading, kelvin=kelvin)
        decision, peer = run(controller, 100, here), run(instead, 100, here)
        assert decision.fallback is fallback
        assert bool(decision.note) == (fallback is Fallback.OTHER)
        if decision.note:
            assert "high_k = 312" in decision.note
            assert decision.current_a == pytest.approx(peer.current_a, abs=0.05)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"cell_sha256": "0" * 64}, "another cell"),
        ({"task_sha256": "0" * 64}, "another version of the task"),
        ({"golden_actions": (0.5, 0.5, 0.5, 0.5)}, "golden vectors"),
    ],
)
def test_a_policy_that_does_not_belong_here_never_acts(changes: dict[str, Any], what: str) -> None:
    if "golden_actions" in changes:  # tampered with: its weights are not those that made the golden vectors
        data = make_duty_policy()
        assert Policy(data, "").find_golden_error() == 0.0
        controller = made(_with_golden(data, Policy(make_duty_policy(gain=0.5), "").info.golden_actions))
    else:
        controller = made(make_duty_policy(**changes))
    decision = run(controller, 300)
    assert decision.fallback is Fallback.OTHER
    assert what in decision.note


def _with_golden(data: bytes, actions: tuple[float, ...]) -> bytes:
    """The same graph with the golden actions of another."""
    import onnx  # noqa: PLC0415  # only here

    from control.rl.policy import KEY, PolicyInfo  # noqa: PLC0415

    model: Any = onnx.load_from_string(data)
    info = PolicyInfo.decode(next(prop.value for prop in model.metadata_props if prop.key == KEY))
    helper: Any = onnx.helper
    helper.set_model_props(model, {KEY: replace(info, golden_actions=actions).encode()})
    return bytes(model.SerializeToString())


def test_a_late_answer_hands_over() -> None:
    ticks = iter(np.arange(0.0, 1e4, 0.006).tolist())  # 6 ms pass in each inference
    decision = run(made(make_duty_policy(), now=lambda: next(ticks)), 300)
    assert decision.fallback is Fallback.OTHER
    assert "6.0 ms" in decision.note


def test_an_unknown_measurement_hands_over_and_the_past_is_not_spoilt() -> None:
    controller = made(make_duty_policy())
    run(controller, 300)
    unknown = run(controller, 5, lambda: reading(current_a=float("nan")))
    assert unknown.fallback is Fallback.OTHER
    assert run(controller, 200).fallback is Fallback.NONE


def test_the_shield_corrects_a_policy_that_charges_a_full_pack_and_counts_it() -> None:
    controller = made(make_duty_policy(gain=0.0, bias=-1.0))
    decision = run(controller, 400, lambda: reading(volts=4.19), soc=0.97)
    assert decision.current_a == pytest.approx(0.0, abs=0.5)
    assert decision.interventions > 100


def test_a_request_that_the_bms_does_not_allow_is_a_violation() -> None:
    controller = made(make_duty_policy(gain=0.0, bias=1.0))
    decisions = [controller.decide(reading(), belief(), CurrentRange(10.0, 10.0), DT_S) for _ in range(200)]
    assert decisions[-1].violations > 100
    assert decisions[-1].current_a == pytest.approx(10.0)


def test_a_policy_of_another_task_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "p.onnx"
    path.write_bytes(make_duty_policy(task="arbitrage"))
    with pytest.raises(BenchFileError, match="arbitrage"):
        rl.build(PACK, {**DUTY, "policy": str(path)})


@pytest.mark.parametrize("content", [b"", b"not a policy", b"\x08\x09" * 100])
def test_what_is_no_policy_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p.onnx"
    path.write_bytes(content)
    with pytest.raises(BenchFileError, match="is not a policy"):
        rl.build(PACK, {**DUTY, "policy": str(path)})


def test_a_policy_of_a_task_of_ones_own_needs_the_file_of_that_task(tmp_path: Path) -> None:
    own = write_own_task(tmp_path, "duty_tracking")
    policy = tmp_path / "policy.onnx"
    policy.write_bytes(make_duty_policy(task="own", task_sha256=read_task(own).sha256))
    with pytest.raises(Usage, match="there is no task 'own'"):
        rl.build(PACK, {**DUTY, "policy": str(policy)})
    decision = run(rl.build(PACK, {**DUTY, "policy": str(policy), "task": str(own)}), 300)
    assert (decision.fallback, decision.note) == (Fallback.NONE, "")
