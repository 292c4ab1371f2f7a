"""Where the fields of a protobuf message lie in its bytes, without a look at their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5  # the wire types that are in use
_SIZES: Final = {EIGHT_BYTES: 8, FOUR_BYTES: 4}


class WireField(NamedTuple):
    """One field: its number, its wire type, and where its value begins and ends."""

    number: int
    kind: int
    start: int
    end: int


def find_fields(data: bytes, start: int, end: int) -> Iterator[WireField]:
    """Yield the fields of the message in `data[start:end]`; raise `ValueError` for bytes that are not one."""
    while start < end:
        tag, start = read_varint(data, start)
        kind = tag & 7
        if kind == VARINT:
            _, stop = read_varint(data, start)
        elif kind == LENGTH:
            size, start = read_varint(data, start)
            stop = start + size
        elif kind in _SIZES:
            stop = start + _SIZES[kind]
        else:
            raise ValueError(f"wire type {kind}")
        if stop > end:
            raise ValueError("the message ends within a field")
        yield WireField(tag >> 3, kind, start, stop)
        start = stop


def read_varint(data: bytes, start: int) -> tuple[int, int]:
    """Return the number that begins at `start`, and where it ends; raise `ValueError`."""
    number = shift = 0
    for place in range(start, min(start + 10, len(data))):
        number |= (data[place] & 0x7F) << shift
        shift += 7
        if data[place] < 0x80:  # noqa: PLR2004  # the bit that says that more follows
            return number, place + 1
    raise ValueError("a number does not end")
