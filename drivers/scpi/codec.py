"""SCPI text as pure functions of bytes; what cannot be read raises `LinkGarbage` that quotes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.errors import LinkGarbage

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBER: Final = rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_WITH_UNIT: Final = re.compile(rb"\s*(" + _NUMBER + rb")\s*([A-Za-z%]*)\s*")
_LIST: Final = re.compile(rb"\s*" + _NUMBER + rb"\s*(?:,\s*" + _NUMBER + rb"\s*)*")
_ERROR: Final = re.compile(rb'\s*([+-]?\d+)\s*,\s*"([^"]*)"\s*(?:,|\Z)')
_LARGEST_STATE: Final = (1 << 32) - 1
_PREFIXES: Final = {"u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6}
NOT_A_NUMBER: Final = 9.9e37  # SCPI-99 volume 1, 7.2.1.5: 9.91E37 says NaN and 9.9E37 infinity
_IDENTITY_FIELDS: Final = 4


@dataclass(frozen=True, slots=True)
class Identity:
    """The reply to `*IDN?`."""

    maker: str
    model: str
    serial: str
    firmware: str


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One entry of an instrument's error queue; number 0 says that the queue is empty."""

    number: int
    words: str

    def __str__(self) -> str:
        return f"{self.number} {self.words}"


def message(*units: str) -> bytes:
    """One terminated message; `;:` starts each unit from the root of the command tree."""
    return (";:".join(units) + "\n").encode("ascii")


def units(reply: bytes, count: int) -> list[bytes]:
    """Exactly `count` replies that came with `;` between."""
    return _exactly(reply, b";", count)


def number(text: bytes, unit: str = "") -> float:
    """A finite number in `unit`; the text may carry that unit with an SI prefix, or none."""
    matched = _WITH_UNIT.fullmatch(text)
    if matched is None:
        raise LinkGarbage(f"answers {_quoted(text)} where a number is due", value=_quoted(text))
    suffix = matched[2].decode("ascii")
    if suffix and (not unit or not suffix.endswith(unit) or suffix.removesuffix(unit) not in _PREFIXES):
        raise LinkGarbage(f"answers {_quoted(text)} where {unit or 'a bare number'} is due", value=_quoted(text))
    prefix = suffix.removesuffix(unit) if suffix else ""
    return _finite(float(matched[1]), text) * _PREFIXES[prefix]


def numbers(text: bytes, count: int) -> list[float]:
    """Exactly `count` finite bare numbers that came with `,` between."""
    if _LIST.fullmatch(text) is None:
        raise LinkGarbage(f"answers {_quoted(text)} where {count} numbers are due", value=_quoted(text))
    return [_finite(float(part), text) for part in _exactly(text, b",", count)]


def quantities(text: bytes, *wanted: str) -> list[float]:
    """Numbers with unit suffixes that came with `,` between, one per unit of `wanted`."""
    parts = _exactly(text, b",", len(wanted))
    return [number(part, unit) for part, unit in zip(parts, wanted, strict=True)]


def state(text: bytes) -> int:
    """The bits of a state register: a whole number of 0 to 32 bits."""
    value = number(text)
    if not (value.is_integer() and 0 <= value <= _LARGEST_STATE):
        raise LinkGarbage(f"answers {_quoted(text)} where state bits are due", value=_quoted(text))
    return int(value)


def word(text: bytes, meanings: Mapping[str, bool]) -> bool:
    """What one of the known words means."""
    spoken = text.decode("ascii", "replace").strip().upper()
    if spoken not in meanings:
        raise LinkGarbage(f"answers {_quoted(text)} where {' or '.join(meanings)} is due", value=_quoted(text))
    return meanings[spoken]


def identity(text: bytes) -> Identity:
    """The four fields of `*IDN?`; what follows the third comma is firmware."""
    fields = [field.strip() for field in text.decode("ascii", "replace").split(",", _IDENTITY_FIELDS - 1)]
    if len(fields) != _IDENTITY_FIELDS or not all(field and field.isprintable() for field in fields):
        raise LinkGarbage(f"answers {_quoted(text)} where its identity is due", value=_quoted(text))
    return Identity(*fields)


def error_entries(text: bytes) -> list[ErrorEntry]:
    """Entries such as `-222,"Data out of range"`, `,` between, without the one that says that the queue is empty."""
    found: list[ErrorEntry] = []
    end = 0
    while end < len(text) or not end:
        matched = _ERROR.match(text, end)
        if matched is None:
            raise LinkGarbage(f"answers {_quoted(text)} where error entries are due", value=_quoted(text))
        found.append(ErrorEntry(int(matched[1]), matched[2].decode("ascii", "replace")))
        end = matched.end()
    return [entry for entry in found if entry.number]


def _exactly(text: bytes, by: bytes, count: int) -> list[bytes]:
    parts = text.split(by)
    if len(parts) != count:
        raise LinkGarbage(f"answers {len(parts)} values where {count} are due", value=len(parts), bound=count)
    return parts


def _finite(value: float, text: bytes) -> float:
    if not -NOT_A_NUMBER < value < NOT_A_NUMBER:
        raise LinkGarbage(f"answers {_quoted(text)}, which is no measurement", value=_quoted(text))
    return value


def _quoted(text: bytes) -> str:
    return repr(text[:40])[1:]
