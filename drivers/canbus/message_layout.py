"""Layout of the signals in a payload: bits to numbers, pages of multiplexed messages, partial frames."""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Page: TypeAlias = tuple[tuple[str, int], ...]  # (multiplexer, its value), outermost first

BITS_PER_BYTE: Final = 8
EXACT: Final = 1e-6  # of a raw step
FLOATS: Final = {16: "<e", 32: "<f", 64: "<d"}


@dataclass(frozen=True, slots=True)
class SignalField:
    """One signal: physical = scale * raw + offset.

    `start` counts as a DBC does: the least significant bit (Intel), the most significant one (Motorola, `big_endian`).
    `selected_by`: each multiplexer above it, outermost first, with the values under which a frame carries this signal.
    """

    name: str
    start: int
    length: int
    big_endian: bool
    signed: bool
    floating: bool
    scale: float
    offset: float
    selected_by: tuple[tuple[str, frozenset[int]], ...]

    @property
    def bits(self) -> tuple[int, ...]:
        """Its bits in the payload as a little-endian number, least significant first."""
        if not self.big_endian:
            return tuple(range(self.start, self.start + self.length))
        found, bit = [self.start], self.start
        for _ in range(self.length - 1):
            bit = bit + 2 * BITS_PER_BYTE - 1 if bit % BITS_PER_BYTE == 0 else bit - 1
            found.append(bit)
        return tuple(reversed(found))

    @property
    def byte_count(self) -> int:
        """The number of bytes that a payload needs to carry it."""
        last = self.start // BITS_PER_BYTE * BITS_PER_BYTE + BITS_PER_BYTE - 1 - self.start % BITS_PER_BYTE
        most = last + self.length - 1 if self.big_endian else self.start + self.length - 1
        return most // BITS_PER_BYTE + 1

    @property
    def mask(self) -> int:
        return sum(1 << bit for bit in self.bits)

    @property
    def pages(self) -> frozenset[Page]:
        """The pages that carry it: one empty page if every frame does."""
        levels = [[(name, value) for value in values] for name, values in self.selected_by]
        return frozenset(itertools.product(*levels))

    def raw(self, payload: bytes) -> int:
        """Return its bits as a number, signed if the signal is; `payload` must carry it (`byte_count`)."""
        if self.big_endian:
            last = self.start // BITS_PER_BYTE * BITS_PER_BYTE + BITS_PER_BYTE - 1 - self.start % BITS_PER_BYTE
            shift = BITS_PER_BYTE * len(payload) - last - self.length
            number = int.from_bytes(payload, "big") >> shift
        else:
            number = int.from_bytes(payload, "little") >> self.start
        number &= (1 << self.length) - 1
        return number - (1 << self.length) if self.signed and number >> self.length - 1 else number

    def physical(self, payload: bytes) -> float:
        raw: float = self.raw(payload)
        if self.floating:
            (raw,) = struct.unpack(
                FLOATS[self.length], (int(raw) % (1 << self.length)).to_bytes(self.length // 8, "little")
            )
        return raw * self.scale + self.offset

    def placed(self, raw: int) -> int:
        """Return `raw` at its bits in the payload as a little-endian number."""
        return sum(((raw >> place) & 1) << bit for place, bit in enumerate(self.bits))

    def step(self, value: float) -> int | None:
        """Return the raw number of exactly `value`; None if there is none, or for floats, which cannot be compared."""
        if self.floating:
            return None
        try:
            raw = self.nearest(value)
        except ValueError:
            return None
        return raw if abs((value - self.offset) / self.scale - raw) < EXACT else None

    def nearest(self, value: float) -> int:
        """Return the raw number nearest to `value`; raise `ValueError` if it does not fit into the bits."""
        if self.floating:
            return int.from_bytes(struct.pack(FLOATS[self.length], (value - self.offset) / self.scale), "little")
        raw = round((value - self.offset) / self.scale)
        low, high = (-1 << self.length - 1, 1 << self.length - 1) if self.signed else (0, 1 << self.length)
        if not low <= raw < high:
            raise ValueError(f"{self.name} = {value:g} does not fit")
        return raw

    def overlaps(self, other: SignalField) -> bool:
        """Return whether both may use the same bits of one frame; signals of different pages never do."""
        theirs = dict(other.selected_by)
        apart = any(not values & theirs.get(name, values) for name, values in self.selected_by)
        return not apart and bool(self.mask & other.mask)


class MessageLayout:
    """The signals of one message by name, and their place in its payload."""

    def __init__(self, signals: Iterable[Any]) -> None:
        """`signals`: those of one message, as cantools gives them."""
        known: dict[str, Any] = {}
        self.twice: set[str] = set()
        for signal in signals:
            if signal.name in known:
                self.twice.add(signal.name)
            known.setdefault(signal.name, signal)
        self.fields: dict[str, SignalField] = {name: _field(signal, known) for name, signal in known.items()}
        selectors = (field for field in self.fields.values() if known[field.name].is_multiplexer)
        self._selectors = sorted(selectors, key=lambda field: len(field.selected_by))  # outer ones first
        self._values = {
            field.name: frozenset(
                value
                for other in self.fields.values()
                for name, values in other.selected_by
                if name == field.name
                for value in values
            )
            for field in self._selectors
        }

    def read(self, payload: bytes) -> dict[str, float]:
        """Return the physical value of each signal that `payload` carries: of one page only, fewer if it is short."""
        page = self._page(payload)
        return {
            field.name: field.physical(payload) for field in self.fields.values() if _carried_bits(field, payload, page)
        }

    def oddity(self, payload: bytes, length: int) -> str:
        """Return what in `payload` cannot be read, empty if everything can: missing bytes, a page not in the DBC."""
        if len(payload) < length:
            return f"{len(payload)} bytes instead of {length}"
        for name, value in self._page(payload).items():
            if value not in self._values[name]:
                return f"{name} = {value}, a page that is not in the DBC"
        return ""

    def bits(self, name: str, raw: int) -> tuple[int, int]:
        """Return mask and value of the bits for `raw`, with the bits of the page that carries the signal."""
        field = self.fields[name]
        mask, value = field.mask, field.placed(raw)
        for multiplexer, values in field.selected_by:
            selector = self.fields[multiplexer]
            mask, value = mask | selector.mask, value | selector.placed(min(values))
        return mask, value

    def written(self, values: Mapping[str, float]) -> int:
        """Return the payload with `values`, as a little-endian number, with the page that carries them all.

        Other signals of that page are 0, if bits of their own can represent it. Raise `ValueError` for a value that
        does not fit, or for signals that no page carries together.
        """
        fields = [self.fields[name] for name in values]
        page = _overlay_pages(fields)
        number = 0
        for field in fields:
            number |= field.placed(field.nearest(values[field.name]))
        for name, value in page.items():
            number |= self.fields[name].placed(value)
        for field in self.fields.values():
            there = field.name not in values and all(page.get(name) in at for name, at in field.selected_by)
            if there and (raw := field.step(0.0)) and not any(field.overlaps(other) for other in fields):
                number |= field.placed(raw)
        return number

    def _page(self, payload: bytes) -> Mapping[str, int]:
        """Return the values of the multiplexers in `payload`; inner ones only if the page carries them."""
        page: dict[str, int] = {}
        for field in self._selectors:
            if _carried_bits(field, payload, page):
                page[field.name] = field.raw(payload)
        return page


def _overlay_pages(fields: Iterable[SignalField]) -> dict[str, int]:
    """Return the multiplexer values of a frame with all `fields`; raise `ValueError` if no frame has them all."""
    pages: dict[str, frozenset[int]] = {}
    for field in fields:
        for name, values in field.selected_by:
            pages[name] = pages.get(name, values) & values
            if not pages[name]:
                raise ValueError(f"no page carries {field.name} together with the others")
    return {name: min(values) for name, values in pages.items()}


def _carried_bits(field: SignalField, payload: bytes, page: Mapping[str, int]) -> bool:
    return field.byte_count <= len(payload) and all(page.get(name) in values for name, values in field.selected_by)


def _field(signal: Any, known: Mapping[str, Any]) -> SignalField:
    return SignalField(
        name=signal.name,
        start=signal.start,
        length=signal.length,
        big_endian=signal.byte_order == "big_endian",
        signed=signal.is_signed,
        floating=signal.is_float,
        scale=float(signal.scale),
        offset=float(signal.offset),
        selected_by=tuple(reversed(list(_selectors(signal, known)))),
    )


def _selectors(signal: Any, known: Mapping[str, Any]) -> Iterable[tuple[str, frozenset[int]]]:
    """Yield each multiplexer above `signal`, innermost first."""
    seen: set[str] = set()
    while signal.multiplexer_ids and signal.multiplexer_signal in known and signal.multiplexer_signal not in seen:
        seen.add(signal.multiplexer_signal)
        yield signal.multiplexer_signal, frozenset(signal.multiplexer_ids)
        signal = known[signal.multiplexer_signal]
