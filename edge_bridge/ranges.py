"""Sets of row numbers as ranges: `(first, last)`, both meant, so that a set of millions stays small."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Range: TypeAlias = tuple[int, int]


def find_ranges(numbers: Iterable[int]) -> list[Range]:
    """The fewest ranges, ascending, that hold exactly `numbers`."""
    ascending = sorted(set(numbers))
    if ascending and ascending[-1] - ascending[0] == len(ascending) - 1:
        return [(ascending[0], ascending[-1])]
    found = list[Range]()
    for number in ascending:
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


class NumberSet:
    """A set of numbers that grows one by one, mostly next to numbers that it has: kept as few ranges."""

    def __init__(self) -> None:
        self._firsts, self._lasts = list[int](), list[int]()  # of ranges that do not touch, ascending

    def add(self, number: int) -> None:
        """Add one number."""
        place = bisect_left(self._lasts, number - 1)  # the first range that ends at `number - 1` or later
        if place == len(self._lasts) or self._firsts[place] > number + 1:
            self._firsts.insert(place, number)
            self._lasts.insert(place, number)
            return
        self._firsts[place] = min(self._firsts[place], number)
        self._lasts[place] = max(self._lasts[place], number)
        if place + 1 < len(self._firsts) and self._firsts[place + 1] == self._lasts[place] + 1:
            del self._firsts[place + 1]
            self._lasts[place] = self._lasts.pop(place + 1)

    def has_all(self, first: int, last: int) -> bool:
        """Return whether all numbers from `first` to `last` are in the set."""
        place = bisect_left(self._lasts, last)
        return place < len(self._lasts) and self._firsts[place] <= first
