"""Which action makes sense in which state, and exit statuses of the error tree."""

from __future__ import annotations

import pytest

from control.state import BenchState
from drivers.errors import BenchError, BenchFileError, LinkSilent, Refused, RunLogError
from workbench.report import Exit, status_of
from workbench.session.actions import Action
from workbench.session.allowed_actions import can


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


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BenchFileError("x"), Exit.BAD_INPUT),
        (RunLogError("x"), Exit.BAD_INPUT),
        (BenchError("x"), Exit.MISSING),
        (LinkSilent("x"), Exit.MISSING),
        (Refused("x"), Exit.CHECK_FAILED),
    ],
)
def test_each_error_has_its_exit_status(error: BenchError, status: Exit) -> None:
    assert status_of(error) is status
