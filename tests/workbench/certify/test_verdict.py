"""What uncertainty does to a verdict, and what many verdicts come to."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.certificates.results import Verdict
from workbench.certify.verdict import find_worst, judge_value

NUMBERS = st.floats(min_value=-1e6, max_value=1e6)
WIDTHS = st.floats(min_value=0.0, max_value=1e6)
LIMITS = st.one_of(
    st.tuples(NUMBERS, NUMBERS).map(lambda pair: (min(pair), max(pair))),
    NUMBERS.map(lambda lo: (lo, math.inf)),
    NUMBERS.map(lambda hi: (-math.inf, hi)),
    st.just((-math.inf, math.inf)),
)


@pytest.mark.parametrize(
    ("value", "uncertainty", "verdict"),
    [
        (130.0, 5.0, Verdict.PASS),
        (97.0, 5.0, Verdict.PASS),  # may be as late as 102
        (94.0, 5.0, Verdict.FAIL),
        (163.0, 5.0, Verdict.PASS),
        (166.0, 5.0, Verdict.FAIL),
        (130.0, 31.0, Verdict.NA),
        (300.0, 31.0, Verdict.FAIL),  # however wide: all of it lies outside
        (190.0, 31.0, Verdict.NA),
        (70.0, 31.0, Verdict.NA),
        (68.0, 31.0, Verdict.FAIL),
        (76.1, 26.7, Verdict.PASS),
        (math.nan, 0.0, Verdict.FAIL),
        (math.inf, 0.0, Verdict.FAIL),
    ],
)
def test_a_check_fails_only_where_its_whole_interval_lies_outside(
    value: float, uncertainty: float, verdict: Verdict
) -> None:
    assert judge_value(value, lo=100.0, hi=160.0, uncertainty=uncertainty)[0] is verdict


def test_a_time_far_above_limits_that_the_bench_could_not_tell_apart_is_a_failure() -> None:
    assert judge_value(76.1, lo=5.0, hi=6.0, uncertainty=26.7)[0] is Verdict.FAIL


def test_equality_is_not_judged_by_a_bench_that_knows_the_value_only_roughly() -> None:
    assert judge_value(5.0, lo=5.0, hi=5.0, uncertainty=0.0)[0] is Verdict.PASS
    assert judge_value(5.1, lo=5.0, hi=5.0, uncertainty=0.2)[0] is Verdict.NA
    assert judge_value(5.5, lo=5.0, hi=5.0, uncertainty=0.2) == (Verdict.FAIL, "not equal")


@pytest.mark.parametrize(
    "wrong",
    [
        {"lo": math.nan},
        {"hi": math.nan},
        {"lo": 161.0},
        {"hi": 99.0},
        {"lo": math.inf},
        {"hi": -math.inf},
        {"uncertainty": math.nan},
        {"uncertainty": -1.0},
        {"doubt": math.nan},
        {"doubt": -1.0},
    ],
)
@pytest.mark.parametrize("value", [130.0, -1e9, 1e9, math.nan])
def test_limits_that_no_value_could_be_judged_by_are_the_scripts_mistake(wrong: dict[str, float], value: float) -> None:
    given: Any = {"lo": 100.0, "hi": 160.0, "uncertainty": 3.0} | wrong
    verdict, reason = judge_value(value, **given)
    assert verdict is Verdict.ERROR
    assert reason.startswith("error in the script: ")


def test_a_bench_too_coarse_for_one_limit_says_so() -> None:
    verdict, reason = judge_value(40.0, lo=-math.inf, hi=50.0, uncertainty=30.0)
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
    assert judge_value(value, lo=100.0, hi=160.0, uncertainty=3.0, doubt=doubt)[0] is verdict


@given(NUMBERS, NUMBERS, NUMBERS)
def test_without_uncertainty_a_check_is_a_comparison(value: float, one: float, other: float) -> None:
    lo, hi = min(one, other), max(one, other)
    assert (judge_value(value, lo=lo, hi=hi, uncertainty=0.0)[0] is Verdict.PASS) == (lo <= value <= hi)


@given(NUMBERS, WIDTHS, LIMITS)
def test_what_lies_outside_with_all_its_uncertainty_fails_and_nothing_else_does(
    value: float, uncertainty: float, limits: tuple[float, float]
) -> None:
    lo, hi = limits
    outside = value + uncertainty < lo or value - uncertainty > hi
    assert (judge_value(value, lo=lo, hi=hi, uncertainty=uncertainty)[0] is Verdict.FAIL) is outside


@given(NUMBERS, WIDTHS, NUMBERS, NUMBERS)
def test_an_overlap_passes_only_where_the_bench_could_have_told(
    value: float, uncertainty: float, one: float, other: float
) -> None:
    lo, hi = min(one, other), max(one, other)
    verdict = judge_value(value, lo=lo, hi=hi, uncertainty=uncertainty)[0]
    overlaps = value + uncertainty >= lo and value - uncertainty <= hi
    coarse = 2.0 * uncertainty > hi - lo
    assert verdict is (Verdict.FAIL if not overlaps else Verdict.NA if coarse else Verdict.PASS)


@given(NUMBERS, WIDTHS, LIMITS, WIDTHS)
def test_a_doubt_excuses_what_is_too_high_and_nothing_else(
    value: float, uncertainty: float, limits: tuple[float, float], doubt: float
) -> None:
    lo, hi = limits
    sure = judge_value(value, lo=lo, hi=hi, uncertainty=uncertainty)[0]
    doubted = judge_value(value, lo=lo, hi=hi, uncertainty=uncertainty, doubt=doubt)[0]
    if sure is Verdict.FAIL and value > hi:
        assert doubted is (Verdict.ERROR if value - uncertainty - doubt <= hi else Verdict.FAIL)
    else:
        assert doubted is sure


@given(NUMBERS, WIDTHS, LIMITS, WIDTHS)
def test_knowing_less_never_turns_a_pass_into_a_failure_nor_a_failure_into_a_pass_on_the_way_to_not_knowing(
    value: float, uncertainty: float, limits: tuple[float, float], more: float
) -> None:
    lo, hi = limits
    ranks = {Verdict.FAIL: 0, Verdict.PASS: 1, Verdict.NA: 2}
    first = ranks[judge_value(value, lo=lo, hi=hi, uncertainty=uncertainty)[0]]
    assert ranks[judge_value(value, lo=lo, hi=hi, uncertainty=uncertainty + more)[0]] >= first


def test_a_proven_failure_outweighs_what_stopped_the_case() -> None:
    assert find_worst([Verdict.PASS, Verdict.ERROR, Verdict.FAIL]) is Verdict.FAIL
    assert find_worst([Verdict.PASS, Verdict.BLOCKED]) is Verdict.BLOCKED
    assert find_worst([Verdict.PASS, Verdict.NA]) is Verdict.NA
    assert find_worst([Verdict.NA, Verdict.BLOCKED]) is Verdict.BLOCKED
    assert find_worst([Verdict.PASS, Verdict.PASS]) is Verdict.PASS
    assert find_worst([]) is Verdict.NA
