"""Bench and device limits as arrays over a channel table, each with its line in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drivers.benchfile.units import si_unit, to_si
from drivers.mistakes import Mistakes

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.benchfile.document import KeyPath
    from drivers.benchfile.model import Bench, Bounds, LimitSection
    from drivers.errors import BenchFileError
    from drivers.snapshot import Channel, ChannelTable, Floats


@dataclass(frozen=True)
class DeclaredLimits:
    """Limits in SI over a table's columns, infinite without a limit; `where` reads `hil24.toml:61`, or is empty.

    `numbers[n]` is the place of the `[[limit]]` that bounds column n, None where none does.
    """

    low: Floats
    high: Floats
    where: tuple[str, ...]
    device_low: Floats
    device_high: Floats
    device_where: tuple[str, ...]
    numbers: tuple[int | None, ...]


def same_name(channel: str) -> str:
    """Return the name unchanged, for channels of the bench's own table."""
    return channel


def lay_over_channels(
    bench: Bench, table: ChannelTable, *, called: Callable[[str], str] = same_name, whole: bool = True
) -> DeclaredLimits:
    """Return the file's limits over `table`: the only place that assigns limits to channels.

    `called` returns the file's name of a channel. Raise `BenchFileError` if a channel is bounded twice or in another
    unit, and, if the table is the `whole` bench, if a pattern matches no channel.
    """
    row = _rows(bench, table, called, whole=whole)
    low, high, where = _lay_rows(bench, row, "bench")
    device_low, device_high, device_where = _lay_rows(bench, row, "device")
    return DeclaredLimits(low, high, where, device_low, device_high, device_where, tuple(row))


def _rows(bench: Bench, table: ChannelTable, called: Callable[[str], str], *, whole: bool) -> list[int | None]:
    """Return for each column the number of its `[[limit]]`."""
    row: list[int | None] = [None] * len(table)
    found = Mistakes()
    names = [called(name) for name in table.names]
    for number, limit in enumerate(bench.limit):
        at: KeyPath = ("limit", number, "channels")
        matched = [column for column, name in enumerate(names) if limit.has_channel(name)]
        if not matched and whole:
            hint = "compare with the names in the signal tree"
            what = f'= "{limit.channels}" matches no channel'
            found.add(bench.document.mistake(at, what, value=limit.channels, bound="a channel", hint=hint))
        with found.collect():
            for column in matched:
                row[column] = _bound_once(bench, number, table.channels[column], row[column])
    found.raise_all()
    return row


def _bound_once(bench: Bench, number: int, channel: Channel, before: int | None) -> int:
    """Return `number`; raise `BenchFileError` if it has another unit than the channel, or if `before` bounds it too."""
    limit = bench.limit[number]
    if si_unit(limit.unit) != channel.unit:
        raise _other_unit(bench, number, limit, channel)
    if before is not None:
        line = bench.document.line(("limit", before))
        what = f'= "{limit.channels}" bounds {channel.name} again, after line {line}'
        hint, at = "let each channel match one pattern", ("limit", number, "channels")
        raise bench.document.mistake(at, what, value=limit.channels, bound="one limit each", hint=hint)
    return number


def _other_unit(bench: Bench, number: int, limit: LimitSection, channel: Channel) -> BenchFileError:
    what = f'= "{limit.unit}" does not fit {channel.name} in {channel.unit}'
    hint = "correct the unit or the pattern"
    return bench.document.mistake(
        ("limit", number, "unit"), what, value=limit.unit, bound=f"a unit of {channel.unit}", hint=hint
    )


def _lay_rows(bench: Bench, row: list[int | None], side: str) -> tuple[Floats, Floats, tuple[str, ...]]:
    low, high, where = np.full(len(row), -np.inf), np.full(len(row), np.inf), [""] * len(row)
    for column, number in enumerate(row):
        bounds: Bounds | None = None if number is None else getattr(bench.limit[number], side)
        if number is not None and bounds is not None:
            low[column], high[column] = (to_si(bound, bench.limit[number].unit) for bound in bounds)
            where[column] = f"{bench.path.name}:{bench.document.line(('limit', number, side))}"
    return low, high, tuple(where)
