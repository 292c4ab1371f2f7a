"""A file as a table: names of columns, and the columns that a log needs, read once they are chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from drivers.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

Cells: TypeAlias = npt.NDArray[Any]  # numbers, times (`datetime64`), or objects: text, numbers, None
Rows: TypeAlias = npt.NDArray[np.int64]


@dataclass
class RepairJournal:
    """What was detected, repaired or left out: sentences for a person, and counts for a program."""

    notes: list[str] = field(default_factory=list[str])
    counts: dict[str, int] = field(default_factory=dict[str, int])

    def say(self, sentence: str) -> None:
        """Add a sentence, but none twice."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def count(self, what: str, number: int, sentence: str) -> None:
        """Add `number` to the count of `what`, with its sentence; do nothing for zero."""
        if number:
            self.counts[what] = self.counts.get(what, 0) + int(number)
            self.say(sentence)


@dataclass(frozen=True)
class Table:
    """A file of which the names of columns are known; `take(places, journal)` reads columns and their row numbers.

    Rows count as the format counts them: lines of a text, rows of a sheet, records from 1 of a binary file.
    `units[k]` is a unit that stands outside the name, else empty; `decimal_comma` is how its text writes numbers.
    `vendor_hint` is the maker of the format where the format has one maker.
    """

    kind: str
    path: Path
    names: tuple[str, ...]
    take: Callable[[Sequence[int], RepairJournal], tuple[list[Cells], Rows]]
    units: tuple[str, ...] = ()
    decimal_comma: bool = False
    has_header: bool = True
    vendor_hint: str = ""

    def unit_of(self, place: int) -> str:
        """Return the unit that stands outside the name of the column at `place`, else nothing."""
        return self.units[place] if place < len(self.units) else ""


def times(number: int) -> str:
    """Return how often: `once`, `3 times`."""
    return "once" if number == 1 else f"{number} times"


def things(number: int, noun: str) -> str:
    """Return a number with its noun: `1 row`, `3 rows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def number_rows(length: int) -> Rows:
    """Return 1 .. `length`, the row numbers of a file of records."""
    return np.arange(1, length + 1, dtype=np.int64)


def refuse_log(path: Path, what: str, hint: str, *, row: int | None = None, **about: Any) -> LogError:
    """Make the error about a log; `row` is the row in the file."""
    return LogError(what, where=str(path), line=row, hint=hint, **about)
