from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from edge_bridge.fleet.spans import Span, size, united, without

SPANS = st.lists(
    st.tuples(st.integers(1, 60), st.integers(0, 9)).map(lambda one: (one[0], one[0] + one[1])), max_size=12
)


def numbers(spans: list[Span]) -> set[int]:
    return {number for first, last in spans for number in range(first, last + 1)}


@given(SPANS)
def test_united_spans_hold_the_same_numbers_apart_and_in_order(spans: list[Span]) -> None:
    found = united(spans)
    assert numbers(found) == numbers(spans)
    assert all(before[1] + 1 < after[0] for before, after in itertools.pairwise(found))


@given(SPANS, SPANS)
def test_without_is_the_difference_of_sets(whole: list[Span], taken: list[Span]) -> None:
    assert numbers(without(whole, taken)) == numbers(whole) - numbers(taken)


@given(SPANS)
def test_size_counts_each_number_once(spans: list[Span]) -> None:
    assert size(spans) == len(numbers(spans))


def test_a_span_of_billions_costs_nothing() -> None:
    assert size(without([(1, 1 << 48)], [(5, 6), (1 << 40, 1 << 41)])) == (1 << 48) - 2 - (1 << 40) - 1
