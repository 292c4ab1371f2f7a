from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from edge_bridge.ranges import NumberSet, Range, count_numbers, find_ranges, subtract, unite

RANGES = st.lists(
    st.tuples(st.integers(1, 60), st.integers(0, 9)).map(lambda one: (one[0], one[0] + one[1])), max_size=12
)


def numbers(ranges: list[Range]) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


@given(RANGES)
def test_united_ranges_hold_the_same_numbers_apart_and_in_order(ranges: list[Range]) -> None:
    found = unite(ranges)
    assert numbers(found) == numbers(ranges)
    assert all(before[1] + 1 < after[0] for before, after in itertools.pairwise(found))


@given(RANGES, RANGES)
def test_subtraction_is_the_difference_of_sets(whole: list[Range], taken: list[Range]) -> None:
    assert numbers(subtract(whole, taken)) == numbers(whole) - numbers(taken)


@given(RANGES)
def test_the_count_has_each_number_once(ranges: list[Range]) -> None:
    assert count_numbers(ranges) == len(numbers(ranges))


def test_a_range_of_billions_costs_nothing() -> None:
    assert count_numbers(subtract([(1, 1 << 48)], [(5, 6), (1 << 40, 1 << 41)])) == (1 << 48) - 2 - (1 << 40) - 1


@given(st.lists(st.integers(1, 80)))
def test_the_ranges_of_numbers_hold_exactly_these(some: list[int]) -> None:
    found = find_ranges(some)
    assert numbers(found) == set(some)
    assert found == unite(found)


@given(st.lists(st.integers(1, 40)), st.integers(1, 40), st.integers(0, 10))
def test_a_set_that_grows_has_the_numbers_that_it_was_given(added: list[int], first: int, more: int) -> None:
    grown = NumberSet()
    for number in added:
        grown.add(number)
    assert grown.has_all(first, first + more) == (set(range(first, first + more + 1)) <= set(added))
