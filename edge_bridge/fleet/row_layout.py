"""The layout of a row's message: which of its bytes are fixed, and where its values lie.

A layout is learned from a message that the strict path accepted (`learn_layout`). Another message with the same fixed
bytes differs in its values alone: names, types, nulls and texts were checked then. So many are read at once by arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from edge_bridge.fleet.columns import COLUMN_OF
from edge_bridge.fleet.node_state import STATUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from edge_bridge.fleet.quick_rows import BirthLayouts
    from edge_bridge.metrics import Scalar

MAX_ORDERS: Final = 1_024  # orders of names that layouts share
LARGEST: Final = float(np.finfo(np.float64).max)
_METRICS: Final = tuple(COLUMN_OF)
_BOUNDS: Final = dict.fromkeys(STATUS, (-LARGEST, LARGEST)) | {
    name: (column.low, column.high) for name, column in COLUMN_OF.items()
}
_IS_HEX: Final = np.isin(np.arange(256), np.frombuffer(b"0123456789abcdef", np.uint8))


class QuickRow(NamedTuple):
    """One row as its layout reads it; `seq` is that of the message, `status` in the order of `status_names`."""

    layout: RowLayout
    seq: int
    boot: str
    number: int
    t_ms: int
    values: tuple[Scalar, ...]
    status: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class VarintSlot:
    """A number in the bytes `start` to `end`, up to nine of them, accepted from `low` to `high`."""

    start: int
    end: int
    low: int = 0
    high: int = (1 << 63) - 1

    def read(self, data: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Read the number of each message."""
        found = np.zeros(len(data), np.int64)
        for place in range(self.start, self.end):
            found |= (data[:, place] & 0x7F).astype(np.int64) << (7 * (place - self.start))
        return found

    def accepts(self, found: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which numbers the strict path accepts for certain."""
        return (found >= self.low) & (found <= self.high)


@dataclass(frozen=True, slots=True)
class RowSlots:
    """Where the values of a row lie; `fixed` are its nulls and texts, `doubles` where eight bytes begin, by metric."""

    seq: VarintSlot
    number: VarintSlot
    t_ms: VarintSlot
    boot: tuple[int, int]
    historical: bool
    fixed: Mapping[str, Scalar]
    integers: Mapping[str, VarintSlot]
    doubles: Mapping[str, int]


class RowLayout:
    """Reads the messages whose bytes are those of `template` wherever `mask` has a bit."""

    def __init__(self, template: bytes, mask: bytes, slots: RowSlots) -> None:
        self.births: BirthLayouts | None = None  # to which it belongs
        self.historical = slots.historical
        known = {*slots.fixed, *slots.integers, *slots.doubles}
        self.status_names = _share(tuple(name for name in STATUS if name in known))
        self._slots = slots
        self._template, self._mask = np.frombuffer(template, np.uint8), np.frombuffer(mask, np.uint8)
        self._of_doubles = np.array([start + place for start in slots.doubles.values() for place in range(8)], np.intp)
        bounds = np.array([_BOUNDS[name] for name in slots.doubles], np.float64).reshape(-1, 2)
        self._low, self._high = bounds[:, 0], bounds[:, 1]

    def read(self, payloads: Sequence[bytes]) -> list[QuickRow | None]:
        """Read payloads of the template's length; None for one that the strict path has to decide."""
        slots, count = self._slots, len(payloads)
        data = np.frombuffer(b"".join(payloads), np.uint8).reshape(count, len(self._template))
        sure = np.asarray(((data ^ self._template) & self._mask).any(axis=1) == 0)
        doubles = np.ascontiguousarray(data[:, self._of_doubles]).view("<f8")
        sure &= ((doubles >= self._low) & (doubles <= self._high)).all(axis=1)  # not for NaN
        first, last = slots.boot
        sure &= _IS_HEX[data[:, first:last]].all(axis=1)

        def read_numbers(slot: VarintSlot) -> list[int]:
            nonlocal sure
            found = slot.read(data)
            sure &= slot.accepts(found)
            return found.tolist()

        columns: dict[str, Sequence[Scalar]] = {name: [value] * count for name, value in slots.fixed.items()}
        columns |= {name: doubles[:, place].tolist() for place, name in enumerate(slots.doubles)}
        columns |= {name: read_numbers(slot) for name, slot in slots.integers.items()}
        rows = map(
            QuickRow,
            repeat(self),
            read_numbers(slots.seq),
            _split(data[:, first:last]),
            read_numbers(slots.number),
            read_numbers(slots.t_ms),
            _make_rows(columns, _METRICS, count),
            _make_rows(columns, self.status_names, count),
        )
        is_sure: list[bool] = sure.tolist()
        return [row if well else None for row, well in zip(rows, is_sure, strict=True)]


@lru_cache(MAX_ORDERS)
def _share(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the one tuple with these names."""
    return names


def _make_rows(
    columns: Mapping[str, Sequence[Scalar]], names: Sequence[str], count: int
) -> Iterable[tuple[Scalar, ...]]:
    """Return the values of each row in the order of the names; None where no column has the name."""
    if not names:
        return repeat((), count)
    unknown: Sequence[Scalar] = [None] * count
    return zip(*(columns.get(name, unknown) for name in names), strict=True)


def _split(letters: NDArray[np.uint8]) -> Iterator[str]:
    text, width = letters.tobytes().decode("latin-1"), letters.shape[1]
    return (text[place : place + width] for place in range(0, len(text), width))
