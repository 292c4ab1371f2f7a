"""SCPI text as pure functions of bytes; text that cannot be read raises `LinkGarbage` that quotes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.errors import LinkGarbage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NUMBER: Final = rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_DIGITS: Final = re.compile(rb"\s*[+-]?\d*(?:\.(\d*))?(?:[eE]([+-]?\d+))?")
_WITH_UNIT: Final = re.compile(rb"\s*(" + _NUMBER + rb")\s*([A-Za-z%]*)\s*")
_LIST: Final = re.compile(rb"\s*" + _NUMBER + rb"\s*(?:,\s*" + _NUMBER + rb"\s*)*")
_ERROR: Final = re.compile(rb'\s*([+-]?\d+)\s*,\s*"([^"]*)"\s*(?:,|\Z)')
_LARGEST_STATE: Final = (1 << 32) - 1
_PREFIXES: Final = {"u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "K": 1e3, "M": 1e6}
_UNIT: Final = re.compile(rb'(?:"[^"]*"?|[^;"])*')  # a `;` in quotes belongs to its text
NOT_A_NUMBER: Final = 9.9e37  # SCPI-99 volume 1, 7.2.1.5: 9.91E37 means NaN and 9.9E37 infinity
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
    """One entry of an instrument's error queue; number 0 means that the queue is empty."""

    number: int
    words: str

    def __str__(self) -> str:
        return f"{self.number} {self.words}"


def message(*units: str) -> bytes:
    """Return one terminated message; `;:` starts each unit from the root of the command tree."""
    return (";:".join(units) + "\n").encode("ascii")


def messages(units: Sequence[str], most: int, longest: int) -> list[tuple[bytes, int]]:
    """Return `units` in as few messages as possible, at most `most` units and `longest` bytes each; with the counts."""
    found: list[tuple[bytes, int]] = []
    collected: list[str] = []
    for unit in units:
        if collected and (len(collected) == most or len(message(*collected, unit)) > longest):
            found.append((message(*collected), len(collected)))
            collected = []
        collected.append(unit)
    return [*found, (message(*collected), len(collected))] if collected else found


def units(reply: bytes, count: int) -> list[bytes]:
    """Return exactly `count` replies separated by `;`; a `;` in quotes is no separator."""
    return _exactly(reply, split(reply), count)


def split(reply: bytes) -> list[bytes]:
    """Return the replies of one line, separated by `;`, unchanged."""
    found, end = [b""], 0
    while end <= len(reply):
        matched = _UNIT.match(reply, end)
        found.append(reply[end:] if matched is None else matched[0])
        end += len(found[-1]) + 1
    return found[1:]


def number(text: bytes, unit: str = "") -> float:
    """Return a finite number in `unit`; the text may have that unit in any case with an SI prefix (k or K), or none."""
    matched = _WITH_UNIT.fullmatch(text)
    if matched is None:
        raise LinkGarbage(f"answered {_quoted(text)}, expected a number", value=_quoted(text))
    scale = _scale(matched[2].decode("ascii"), unit)
    if scale is None:
        raise LinkGarbage(f"answered {_quoted(text)}, expected {unit or 'a number without unit'}", value=_quoted(text))
    return _finite(float(matched[1]), text) * scale


def half_step(text: bytes, unit: str = "") -> float:
    """Return half of the last decimal of a number, in `unit`: the rounding error of its instrument."""
    matched = _WITH_UNIT.fullmatch(text)
    digits = _DIGITS.match(text)
    if matched is None or digits is None:
        raise LinkGarbage(f"answered {_quoted(text)}, expected a number", value=_quoted(text))
    exponent = max(-30, min(30, int(digits[2] or 0))) - len(digits[1] or b"")
    return 0.5 * 10.0**exponent * (_scale(matched[2].decode("ascii"), unit) or 1.0)


def numbers(text: bytes, count: int) -> list[float]:
    """Return exactly `count` finite numbers without unit, separated by `,`."""
    if _LIST.fullmatch(text) is None:
        raise LinkGarbage(f"answered {_quoted(text)}, expected {count} numbers", value=_quoted(text))
    return [_finite(float(part), text) for part in _exactly(text, text.split(b","), count)]


def quantities(text: bytes, *expected: str) -> list[float]:
    """Return numbers with unit suffixes, separated by `,`, one per unit of `expected`."""
    parts = _exactly(text, text.split(b","), len(expected))
    return [number(part, unit) for part, unit in zip(parts, expected, strict=True)]


def state(text: bytes) -> int:
    """Return the bits of a state register: a whole number of 0 to 32 bits."""
    value = number(text)
    if not (value.is_integer() and 0 <= value <= _LARGEST_STATE):
        raise LinkGarbage(f"answered {_quoted(text)}, expected state bits", value=_quoted(text))
    return int(value)


def word(text: bytes, meanings: Mapping[str, bool]) -> bool:
    """Return the meaning of one of the known words."""
    received = text.decode("ascii", "replace").strip().upper()
    if received not in meanings:
        raise LinkGarbage(f"answered {_quoted(text)}, expected {' or '.join(meanings)}", value=_quoted(text))
    return meanings[received]


def identity(text: bytes) -> Identity:
    """Return the four fields of `*IDN?`; everything after the third comma is the firmware."""
    fields = [field.strip() for field in text.decode("ascii", "replace").split(",", _IDENTITY_FIELDS - 1)]
    if len(fields) != _IDENTITY_FIELDS or not all(field and field.isprintable() for field in fields):
        raise LinkGarbage(f"answered {_quoted(text)}, expected its identity", value=_quoted(text))
    return Identity(*fields)


def error_entries(text: bytes) -> list[ErrorEntry]:
    """Return entries such as `-222,"Data out of range"`, separated by `,`, without the one for an empty queue."""
    found: list[ErrorEntry] = []
    end = 0
    while end < len(text) or not end:
        matched = _ERROR.match(text, end)
        if matched is None:
            raise LinkGarbage(f"answered {_quoted(text)}, expected error entries", value=_quoted(text))
        found.append(ErrorEntry(int(matched[1]), matched[2].decode("ascii", "replace")))
        end = matched.end()
    return [entry for entry in found if entry.number]


def _exactly(text: bytes, parts: list[bytes], count: int) -> list[bytes]:
    if len(parts) != count:
        what = f"answered {len(parts)} values, expected {count}: {_quoted(text)}"
        raise LinkGarbage(what, value=len(parts), bound=count)
    return parts


def _scale(suffix: str, unit: str) -> float | None:
    """Return the factor from a number with `suffix` to `unit`; None if the suffix is of another unit."""
    if not suffix:
        return 1.0
    if not unit or not suffix.upper().endswith(unit.upper()):
        return None
    return _PREFIXES.get(suffix[: len(suffix) - len(unit)])


def _finite(value: float, text: bytes) -> float:
    if not -NOT_A_NUMBER < value < NOT_A_NUMBER:
        raise LinkGarbage(f"answered {_quoted(text)}, which is not a measurement", value=_quoted(text))
    return value


def _quoted(text: bytes) -> str:
    return repr(text[:40])[1:]
