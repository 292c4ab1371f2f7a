"""The rollout: whatever devices tell and whenever, no more than the canary before it succeeded."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_bridge.fleet.rollout import (
    DeviceSight,
    Rollout,
    RolloutPhase,
    RolloutStep,
    StepState,
    advance,
    approve,
    parse_rollout,
    revert,
    stop_sending,
)

OLD, NEW, OTHER = "a" * 64, "b" * 64, "c" * 64
NODES: Final = tuple(f"pack-{number}" for number in range(6))
SOAK_MS, TIMEOUT_MS = 10_000, 30_000
HEALTHY: Final = DeviceSight(online=True, running=NEW, desired=NEW, state="healthy")
BEFORE: Final = DeviceSight(online=True, running=OLD)
SIGHTS: Final = st.builds(
    DeviceSight,
    st.booleans(),
    st.sampled_from(["", OLD, NEW, OTHER]),
    st.sampled_from(["", OLD, NEW, OTHER]),
    st.sampled_from(["", "desired", "downloaded", "verified", "probation", "healthy", "refused", "reverted"]),
    st.just("words"),
    st.booleans(),
)
TURNS: Final = st.lists(
    st.tuples(st.dictionaries(st.sampled_from(NODES), SIGHTS), st.integers(0, 20_000)), min_size=1, max_size=25
)


def make(canary: int = 2, at_once: int = 2, nodes: tuple[str, ...] = NODES) -> Rollout:
    steps = tuple(RolloutStep(node, place < canary) for place, node in enumerate(nodes))
    return approve(Rollout(NEW, steps, SOAK_MS, TIMEOUT_MS, at_once), 0)


def list_begun(rollout: Rollout) -> set[str]:
    return {one.node for one in rollout.steps if one.state is not StepState.WAITING}


def find(rollout: Rollout, node: str) -> RolloutStep:
    return next(one for one in rollout.steps if one.node == node)


@settings(max_examples=300, deadline=None)
@given(TURNS, st.integers(1, 5), st.integers(1, 3))
def test_never_more_than_the_canary_before_every_canary_was_healthy(
    turns: list[tuple[dict[str, DeviceSight], int]], canary: int, at_once: int
) -> None:
    rollout, now_ms, seen = make(canary, at_once), 0, dict[str, DeviceSight]()
    healthy_since: int | None = None
    for told, wait_ms in turns:
        now_ms, seen = now_ms + wait_ms, seen | told
        before, rollout = rollout, parse_rollout(json.loads(json.dumps(advance(rollout, seen, now_ms).as_body())))
        canaries = [one for one in rollout.steps if one.is_canary]
        if healthy_since is None and all(one.state is StepState.HEALTHY for one in canaries):
            healthy_since = now_ms
        begun = list_begun(rollout)
        if begun - {one.node for one in canaries}:
            assert healthy_since is not None
            assert now_ms - healthy_since >= SOAK_MS
        new = begun - list_begun(before)
        assert len([one for one in new if not find(rollout, one).is_canary]) <= at_once
        if rollout.phase is RolloutPhase.HALTED:
            assert rollout.reason
            assert list_begun(advance(rollout, dict.fromkeys(NODES, HEALTHY), now_ms + SOAK_MS)) == begun
            return
        bad = [node for node in begun if seen.get(node, DeviceSight()).is_tripped and node not in new]
        assert not bad, "a device that tripped halts it"


def test_all_goes_well() -> None:
    rollout, seen = advance(make(), dict.fromkeys(NODES, BEFORE), 0), dict.fromkeys(NODES, BEFORE)
    assert rollout.list_targets() == {"pack-0": NEW, "pack-1": NEW}
    assert find(rollout, "pack-0").former == OLD
    seen |= {"pack-0": HEALTHY, "pack-1": replace(HEALTHY, state="probation")}
    rollout = advance(rollout, seen, 5_000)
    assert (rollout.phase, find(rollout, "pack-1").state) == (RolloutPhase.CANARY, StepState.SENT)
    seen["pack-1"] = HEALTHY
    rollout = advance(rollout, seen, 6_000)
    assert rollout.phase is RolloutPhase.SOAK
    assert advance(rollout, seen, 6_000 + SOAK_MS - 1).phase is RolloutPhase.SOAK
    for turn in range(6):
        rollout = advance(rollout, seen, 6_000 + SOAK_MS + turn)
        assert len(rollout.list_targets()) <= 2
        seen |= dict.fromkeys(rollout.list_targets(), HEALTHY)
    assert (rollout.phase, rollout.list_targets()) == (RolloutPhase.DONE, {})


@pytest.mark.parametrize(
    ("sight", "reason"),
    [
        (replace(BEFORE, desired=NEW, state="refused", reason="has serial 4"), "pack-0: refused: has serial 4"),
        (replace(BEFORE, desired=NEW, state="reverted", reason="no row"), "pack-0: reverted: no row"),
        (replace(BEFORE, is_tripped=True), "pack-0: its gate tripped"),
        (BEFORE, "pack-0: not healthy within 30 s"),
    ],
)
def test_one_bad_device_halts_it(sight: DeviceSight, reason: str) -> None:
    rollout = advance(make(), dict.fromkeys(NODES, BEFORE), 0)
    rollout = advance(rollout, {"pack-0": sight, "pack-1": BEFORE}, TIMEOUT_MS)
    assert (rollout.phase, rollout.reason, rollout.is_active) == (RolloutPhase.HALTED, reason, False)


def test_a_canary_that_fails_while_it_soaks_halts_it() -> None:
    seen = dict.fromkeys(NODES, HEALTHY)
    rollout = advance(advance(make(), seen, 0), seen, 1)
    assert rollout.phase is RolloutPhase.SOAK
    halted = advance(rollout, seen | {"pack-1": replace(HEALTHY, is_tripped=True)}, 2)
    assert (halted.phase, halted.reason) == (RolloutPhase.HALTED, "pack-1: its gate tripped")
    gone = seen | {"pack-1": replace(HEALTHY, online=False)}
    assert advance(rollout, gone, SOAK_MS + 1).phase is RolloutPhase.SOAK, "it waits for the canary to be back"
    assert advance(rollout, gone, SOAK_MS + TIMEOUT_MS + 1).phase is RolloutPhase.HALTED


def test_the_failure_of_an_earlier_attempt_is_not_that_of_this_one() -> None:
    earlier = replace(BEFORE, desired=NEW, state="refused", reason="of last week")
    rollout = advance(make(canary=1), {"pack-0": earlier}, 0)
    rollout = advance(rollout, {"pack-0": earlier}, 1_000)
    assert rollout.phase is RolloutPhase.CANARY
    rollout = advance(rollout, {"pack-0": replace(earlier, state="desired")}, 2_000)
    assert advance(rollout, {"pack-0": earlier}, 3_000).phase is RolloutPhase.HALTED


def test_a_paused_rollout_begins_nothing_and_still_halts() -> None:
    rollout = replace(make(), is_paused=True)
    assert list_begun(advance(rollout, {}, 0)) == set()
    running = replace(advance(make(), {}, 0), is_paused=True)
    assert advance(running, {"pack-0": replace(BEFORE, is_tripped=True)}, 1).phase is RolloutPhase.HALTED


def test_revert_sends_what_each_device_ran_before_and_leaves_the_others() -> None:
    seen = {"pack-0": BEFORE, "pack-1": replace(BEFORE, running=OTHER)}
    rollout = advance(make(), seen, 0)
    rollout = revert(advance(rollout, dict.fromkeys(NODES, HEALTHY), 1), 2)
    assert rollout.list_targets() == {"pack-0": OLD, "pack-1": OTHER}
    back = advance(rollout, {"pack-0": BEFORE, "pack-1": HEALTHY}, 3)
    assert (back.phase, find(back, "pack-0").state) == (RolloutPhase.REVERTING, StepState.BACK)
    refused = replace(HEALTHY, desired=OTHER, state="desired")
    back = advance(back, {"pack-1": refused}, 4)
    back = advance(back, {"pack-1": replace(refused, state="refused", reason="older")}, 5)
    assert (back.phase, find(back, "pack-1").reason) == (RolloutPhase.REVERTED, "refused: older")
    assert find(back, "pack-2").state is StepState.WAITING
    assert revert(advance(make(), {}, 0), 1).list_targets() == {}, "what was never known cannot be sent"


def test_a_bundle_that_is_lost_ends_the_steps_that_need_it() -> None:
    rollout = stop_sending(advance(make(), {}, 0), NEW, "lost", 1)
    assert advance(rollout, {}, 2).phase is RolloutPhase.HALTED
