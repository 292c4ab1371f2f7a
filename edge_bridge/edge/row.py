"""A row: one sample of the pack, known by the boot of the edge and a number within it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Value: TypeAlias = float | int | str | None

GAP_BOOT: Final = "Gap/Boot"
GAP_FIRST: Final = "Gap/First"
GAP_LAST: Final = "Gap/Last"


@dataclass(frozen=True, slots=True)
class Key:
    """`boot` (64 random bits, hexadecimal) and `seq` (from 1)."""

    boot: str
    seq: int


@dataclass(frozen=True, slots=True)
class Row:
    """`values` by metric name at `t_ms` (UTC, as the wall clock said); `live` where it was not held back."""

    key: Key
    t_ms: int
    values: Mapping[str, Value]
    live: bool


@dataclass(frozen=True, slots=True)
class Span:
    """Rows `first` to `last` of one boot that were evicted or never written."""

    boot: str
    first: int
    last: int

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    @property
    def values(self) -> dict[str, Value]:
        """What a gap row says."""
        return {GAP_BOOT: self.boot, GAP_FIRST: self.first, GAP_LAST: self.last}

    def joined(self, other: Span) -> Span | None:
        """Both as one, where `other` goes on behind this."""
        if self.boot == other.boot and self.last + 1 == other.first:
            return Span(self.boot, self.first, other.last)
        return None


def spans(keys: list[Key]) -> list[Span]:
    """The fewest spans that name exactly `keys`."""
    found: list[Span] = []
    for key in sorted(keys, key=lambda key: (key.boot, key.seq)):
        one = Span(key.boot, key.seq, key.seq)
        both = found[-1].joined(one) if found else None
        if both is None:
            found.append(one)
        else:
            found[-1] = both
    return found
