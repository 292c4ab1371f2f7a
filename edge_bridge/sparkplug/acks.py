"""Acknowledged rows as text: `<boot>:1-40,57,60-61`, several boots joined by `;`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from edge_bridge.ranges import Range
from edge_bridge.sparkplug.payload import PayloadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Acks: TypeAlias = dict[str, tuple[Range, ...]]

MAX_RANGES: Final = 500  # in one message
MAX_LENGTH: Final = 32_768  # characters of one message
MAX_NUMBER: Final = (1 << 63) - 1  # the largest integer of SQLite
_BOOT: Final = re.compile(r"[0-9a-f]{1,32}", re.ASCII)
_RANGE: Final = re.compile(r"([1-9][0-9]{0,18})(?:-([1-9][0-9]{0,18}))?", re.ASCII)


def format_acks(acks: Mapping[str, Iterable[Range]]) -> Iterator[str]:
    """Write the fewest texts that hold all ranges, each within `MAX_RANGES`; none for no ranges."""
    flat = [(boot, one) for boot, those in acks.items() for one in those]
    if len(flat) == 1:  # almost always
        yield f"{flat[0][0]}:{_format_range(*flat[0][1])}"
        return
    for start in range(0, len(flat), MAX_RANGES):
        by_boot = dict[str, list[str]]()
        for boot, (first, last) in flat[start : start + MAX_RANGES]:
            by_boot.setdefault(boot, []).append(_format_range(first, last))
        yield ";".join(f"{boot}:{','.join(words)}" for boot, words in by_boot.items())


def _format_range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def parse_acks(text: str) -> Acks:
    """Read boots and their ranges; raise `PayloadError` of kind `acks` for any other text, of any length."""
    if len(text) > MAX_LENGTH:
        raise PayloadError("acks", "an acknowledgement is too long", value=len(text), bound=MAX_LENGTH)
    found, count = dict[str, tuple[Range, ...]](), 0
    for part in text.split(";") if text else ():
        boot, colon, words = part.partition(":")
        if not colon or not _BOOT.fullmatch(boot) or boot in found:
            raise PayloadError("acks", f"{part[:60]!r} has no valid boot, or repeats one", value=part[:60])
        found[boot] = tuple(_parse_range(word) for word in words.split(","))
        count += len(found[boot])
    if count > MAX_RANGES:
        raise PayloadError("acks", "an acknowledgement has too many ranges", value=count, bound=MAX_RANGES)
    return found


def _parse_range(word: str) -> Range:
    match = _RANGE.fullmatch(word)
    if match is None:
        raise PayloadError("acks", f"{word[:60]!r} is not a range of row numbers", value=word[:60])
    first, last = int(match[1]), int(match[2] or match[1])
    if not first <= last <= MAX_NUMBER:
        raise PayloadError(
            "acks", f"{word!r} is not an ascending range up to {MAX_NUMBER}", value=word, bound=MAX_NUMBER
        )
    return first, last
