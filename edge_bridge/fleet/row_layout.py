"""The layout of a row's message: which of its bytes are fixed, and where its values lie.

A layout is learned from a message that the strict path accepted (`learn_layout`). Another message with the same fixed
bytes differs in its values alone: names, types, nulls and texts were checked then. So many are read at once by arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from edge_bridge.fleet.columns import COLUMN_OF
from edge_bridge.fleet.node_state import STATUS
from edge_bridge.fleet.row_status import StatusNames

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from edge_bridge.fleet.quick_rows import BirthLayouts
    from edge_bridge.metrics import Scalar

MAX_ORDERS: Final = 1_024  # orders of names that layouts share
LARGEST: Final = float(np.finfo(np.float64).max)
_BITS: Final = np.uint8(0x7F)  # of a number in one byte
_METRICS: Final = tuple(COLUMN_OF)
_BOUNDS: Final = dict.fromkeys(STATUS, (-LARGEST, LARGEST)) | {
    name: (column.low, column.high) for name, column in COLUMN_OF.items()
}
_IS_HEX: Final = np.isin(np.arange(256), np.frombuffer(b"0123456789abcdef", np.uint8))


# One row as its layout reads it: `seq` of its message, boot, number, t_ms, values in the order of the columns, and the
# status in the order of `status_names`. A plain tuple: each name would cost as much as reading the value.
QuickRow: TypeAlias = "tuple[RowLayout, int, str, int, int, tuple[Scalar, ...], tuple[Scalar, ...]]"


@dataclass(frozen=True, slots=True)
class VarintSlot:
    """A number in the bytes `start` to `end`, up to nine of them, accepted from `low` to `high`."""

    start: int
    end: int
    low: int = 0
    high: int = (1 << 63) - 1


class VarintReader:
    """Reads several numbers of many messages at once; one out of its bounds is not accepted."""

    def __init__(self, slots: Sequence[VarintSlot]) -> None:
        """There is at least one slot, and none is empty."""
        places = [place for slot in slots for place in range(slot.start, slot.end)]
        self._places = np.array(places, np.intp)
        shifts = [7 * place for slot in slots for place in range(slot.end - slot.start)]
        self._shifts = np.array(shifts, np.int64)[:, np.newaxis]
        self._starts = np.cumsum([0, *(slot.end - slot.start for slot in slots[:-1])])
        self._low = np.array([slot.low for slot in slots], np.int64)[:, np.newaxis]
        self._high = np.array([slot.high for slot in slots], np.int64)[:, np.newaxis]

    def read(self, data: NDArray[np.uint8], sure: NDArray[np.bool_]) -> list[list[int]]:
        """Read the numbers of each message, slot by slot; mark in `sure` where the strict path has to decide."""
        bits = (data.T[self._places] & _BITS).astype(np.int64) << self._shifts  # one row for each byte
        found = np.bitwise_or.reduceat(bits, self._starts, axis=0)
        sure &= ((found >= self._low) & (found <= self._high)).all(axis=0)
        return found.tolist()


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
        self._mask = np.frombuffer(mask, np.uint8)
        self._fixed = (np.frombuffer(template, np.uint8) & self._mask).tobytes()
        self._of_doubles = np.array([start + place for start in slots.doubles.values() for place in range(8)], np.intp)
        bounds = np.array([_BOUNDS[name] for name in slots.doubles], np.float64).reshape(-1, 2)
        self._low, self._high = bounds[:, 0], bounds[:, 1]
        self._varints = VarintReader([slots.seq, slots.number, slots.t_ms, *slots.integers.values()])

    def read(self, payloads: Sequence[bytes]) -> list[QuickRow | None]:
        """Read payloads of the template's length; None for one that the strict path has to decide."""
        slots, count = self._slots, len(payloads)
        data = np.frombuffer(b"".join(payloads), np.uint8).reshape(count, len(self._fixed))
        sure = self._find_alike(data)
        doubles = np.ascontiguousarray(data[:, self._of_doubles]).view("<f8")
        sure &= ((doubles >= self._low) & (doubles <= self._high)).all(axis=1)  # not for NaN
        first, last = slots.boot
        boots = data[:, first:last]
        sure &= _IS_HEX[boots].all(axis=1)
        seqs, numbers, t_ms, *integers = self._varints.read(data, sure)
        columns: dict[str, Sequence[Scalar]] = {name: [value] * count for name, value in slots.fixed.items()}
        columns |= zip(slots.doubles, doubles.T.tolist(), strict=True)
        columns |= zip(slots.integers, integers, strict=True)
        rows = zip(
            repeat(self, count),
            seqs,
            _split(boots),
            numbers,
            t_ms,
            _make_rows(columns, _METRICS, count),
            _make_rows(columns, [*self.status_names.places], count),
            strict=True,
        )
        is_sure: list[bool] = sure.tolist()
        return [row if well else None for row, well in zip(rows, is_sure, strict=True)]

    def _find_alike(self, data: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return which messages have the fixed bytes of the template."""
        fixed = data & self._mask
        if fixed.tobytes() == self._fixed * len(data):  # almost always
            return np.ones(len(data), np.bool_)
        return (fixed == np.frombuffer(self._fixed, np.uint8)).all(axis=1)


@lru_cache(MAX_ORDERS)
def _share(names: tuple[str, ...]) -> StatusNames:
    """Return the one object with these names."""
    return StatusNames(names)


def _make_rows(
    columns: Mapping[str, Sequence[Scalar]], names: Sequence[str], count: int
) -> Iterable[tuple[Scalar, ...]]:
    """Return the values of each row in the order of the names; None where no column has the name."""
    if not names:
        return repeat((), count)
    unknown: Sequence[Scalar] = [None] * count
    return zip(*(columns.get(name, unknown) for name in names), strict=True)


def _split(letters: NDArray[np.uint8]) -> list[str]:
    text, width = letters.tobytes().decode("latin-1"), letters.shape[1]
    return [text[place : place + width] for place in range(0, len(text), width)]
