"""Sets of row numbers as ranges: `(first, last)`, both meant, so that a set of millions stays small."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Range: TypeAlias = tuple[int, int]


def find_ranges(numbers: Iterable[int]) -> list[Range]:
    """The fewest ranges, ascending, that hold exactly `numbers`."""
    found = list[Range]()
    for number in sorted(set(numbers)):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def unite(ranges: Iterable[Range]) -> list[Range]:
    """The fewest ranges that hold exactly the numbers of all, ascending."""
    found = list[Range]()
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def subtract(whole: Iterable[Range], taken: Iterable[Range]) -> list[Range]:
    """The numbers of `whole` that are not in `taken`."""
    found, cuts, place = list[Range](), unite(taken), 0
    for start, last in unite(whole):
        first = start
        while place < len(cuts) and cuts[place][1] < first:
            place += 1
        while place < len(cuts) and cuts[place][0] <= last:
            low, high = cuts[place]
            if low > first:
                found.append((first, low - 1))
            first = high + 1
            if high > last:
                break  # this cut may also take from the next range
            place += 1
        if first <= last:
            found.append((first, last))
    return found


def count_numbers(ranges: Iterable[Range]) -> int:
    """How many numbers there are."""
    return sum(last - first + 1 for first, last in unite(ranges))
