"""Which action is allowed in which state."""

from __future__ import annotations

import pytest

from control.state import BenchState
from workbench.session.actions import Action
from workbench.session.allowed_actions import can, can_withdraw


@pytest.mark.parametrize("state", list(BenchState))
def test_outputs_off_is_possible_in_every_state(state: BenchState) -> None:
    assert can(Action.OUTPUTS_OFF, state) == (True, "")


@pytest.mark.parametrize("state", list(BenchState))
@pytest.mark.parametrize("action", list(Action))
def test_an_action_that_cannot_act_says_why_in_a_sentence(action: Action, state: BenchState) -> None:
    allowed, why_not = can(action, state)
    assert allowed == (why_not == "")
    assert allowed or (why_not[0].isupper() and why_not.endswith("."))


def test_a_tripped_bench_neither_arms_nor_starts_before_its_reset() -> None:
    assert not can(Action.ARM, BenchState.TRIPPED)[0]
    assert not can(Action.START, BenchState.TRIPPED)[0]
    assert can(Action.RESET, BenchState.TRIPPED)[0]


def test_what_leads_to_rest_is_never_withdrawn() -> None:
    kept = {action for action in Action if not can_withdraw(action)}
    assert {Action.STOP, Action.DISARM, Action.DISCONNECT} <= kept
    assert kept.isdisjoint({Action.ARM, Action.START, Action.INJECT, Action.SCRIPT, Action.ACTIVATE, Action.RESET})
