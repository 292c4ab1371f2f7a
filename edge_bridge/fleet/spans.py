"""Sets of row numbers as ranges: `(first, last)`, both meant, so that a set of millions stays small."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Span: TypeAlias = tuple[int, int]


def united(spans: Iterable[Span]) -> list[Span]:
    """The fewest ranges that hold exactly the numbers of all, ascending."""
    found = list[Span]()
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def without(whole: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """The numbers of `whole` that are not in `taken`."""
    found, cuts = list[Span](), united(taken)
    for start, last in united(whole):
        first = start
        for low, high in cuts:
            if high < first or low > last:
                continue
            if low > first:
                found.append((first, low - 1))
            first = high + 1
        if first <= last:
            found.append((first, last))
    return found


def size(spans: Iterable[Span]) -> int:
    """How many numbers there are."""
    return sum(last - first + 1 for first, last in united(spans))
