"""What uncertainty does to a verdict, and what many verdicts come to."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.certify.verdict import Verdict, judged, worst

NUMBERS = st.floats(min_value=-1e6, max_value=1e6)


@pytest.mark.parametrize(
    ("value", "uncertainty", "verdict"),
    [
        (130.0, 5.0, Verdict.PASS),
        (97.0, 5.0, Verdict.PASS),  # may be as late as 102
        (94.0, 5.0, Verdict.FAIL),
        (163.0, 5.0, Verdict.PASS),
        (166.0, 5.0, Verdict.FAIL),
        (130.0, 31.0, Verdict.NA),
        (300.0, 31.0, Verdict.NA),
        (math.nan, 0.0, Verdict.FAIL),
        (math.inf, 0.0, Verdict.FAIL),
    ],
)
def test_a_check_fails_only_where_its_whole_interval_lies_outside(
    value: float, uncertainty: float, verdict: Verdict
) -> None:
    assert judged(value, lo=100.0, hi=160.0, uncertainty=uncertainty)[0] is verdict


def test_a_bench_too_coarse_for_one_limit_says_so() -> None:
    verdict, reason = judged(40.0, lo=-math.inf, hi=50.0, uncertainty=30.0)
    assert verdict is Verdict.NA
    assert "too coarse" in reason


@pytest.mark.parametrize(
    ("value", "doubt", "verdict"),
    [
        (155.0, 40.0, Verdict.PASS),
        (170.0, 40.0, Verdict.ERROR),
        (70.0, 40.0, Verdict.FAIL),  # nothing makes a device early
        (204.0, 40.0, Verdict.FAIL),
        (56.0, 40.0, Verdict.FAIL),
        (math.nan, 40.0, Verdict.FAIL),
    ],
)
def test_what_the_bench_may_have_added_proves_nothing(value: float, doubt: float, verdict: Verdict) -> None:
    assert judged(value, lo=100.0, hi=160.0, uncertainty=3.0, doubt=doubt)[0] is verdict


@given(NUMBERS, NUMBERS, NUMBERS)
def test_without_uncertainty_a_check_is_a_comparison(value: float, one: float, other: float) -> None:
    lo, hi = min(one, other), max(one, other)
    assert (judged(value, lo=lo, hi=hi, uncertainty=0.0)[0] is Verdict.PASS) == (lo <= value <= hi)


def test_a_proven_failure_outweighs_what_stopped_the_case() -> None:
    assert worst([Verdict.PASS, Verdict.ERROR, Verdict.FAIL]) is Verdict.FAIL
    assert worst([Verdict.PASS, Verdict.BLOCKED]) is Verdict.BLOCKED
    assert worst([Verdict.PASS, Verdict.NA]) is Verdict.PASS
    assert worst([]) is Verdict.NA
