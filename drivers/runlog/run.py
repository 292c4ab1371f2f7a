"""A run opened for reading: sealed, still being recorded, or left by a killed process."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from drivers.errors import RunLogError
from drivers.ring import RingBlock
from drivers.runlog.arrow import QUALITY, SAMPLED, TIME, ParquetColumns, RowBatch, columns_of, stream_rows
from drivers.runlog.events import read_events
from drivers.runlog.folder import SEALED, STREAM, RunInfo, being_written, load
from drivers.runlog.seal import seal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from drivers.event import EventRecord
    from drivers.snapshot import ChannelTable, Floats


class Ticks(Protocol):
    """The recorded columns, from any file."""

    def __len__(self) -> int: ...

    def read(self, names: Sequence[str], first: int, last: int) -> dict[str, npt.NDArray[Any]]: ...

    def close(self) -> None: ...


class StreamColumns:
    """Columns of a run that is not sealed, all in memory; raises `ValueError` if the stream cannot be read."""

    def __init__(self, path: Path, about: RunInfo) -> None:
        names = [name for name, *_ in about.channels]
        with path.open("rb") as file:
            parts = list(stream_rows(file, len(names), about.measured))
        self._columns = columns_of(RowBatch.joined([RowBatch.none(len(names), about.measured), *parts]), names)

    def __len__(self) -> int:
        return len(self._columns[TIME])

    def read(self, names: Sequence[str], first: int, last: int) -> dict[str, npt.NDArray[Any]]:
        return {name: self._columns[name][first:last] for name in names}

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class TickGap:
    """An interval without ticks, in the run's own time."""

    start_s: float
    end_s: float


class Run:
    """A recorded run. Times are those of the recording's monotonic clock; `start_s` is its first tick."""

    def __init__(self, folder: Path, about: RunInfo, ticks: Ticks) -> None:
        """Use `Run.open`."""
        self.folder = folder
        self.about = about
        self.table: ChannelTable = about.table
        self.measured = about.measured
        self._ticks = ticks

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the run in `folder`, and seal it if a killed process left it; raise `RunLogError`."""
        about = load(folder)
        if about.state == "open" and not being_written(about) and os.access(folder, os.W_OK):
            about = _sealed(folder, about)
        try:
            try:
                ticks = _ticks(folder, about)
            except FileNotFoundError:  # its recorder may have sealed it since the last check
                ticks = _ticks(folder, load(folder))
        except (OSError, ValueError) as error:
            hint = "restore the folder from a copy"
            raise RunLogError(f"contains no ticks that can be read: {error}", where=str(folder), hint=hint) from error
        return cls(folder, about, ticks)

    @property
    def name(self) -> str:
        return self.about.name

    @property
    def meta(self) -> dict[str, Any]:
        """The description by its maker: evidence class, bench file, versions."""
        return self.about.meta

    @property
    def count(self) -> int:
        """The number of ticks."""
        return len(self._ticks)

    @cached_property
    def t_s(self) -> Floats:
        """Time of every tick."""
        return self._read([TIME], 0, self.count)[TIME]

    @property
    def start_s(self) -> float:
        """Time of the first tick, NaN without one."""
        return float(self.t_s[0]) if self.count else math.nan

    @property
    def duration_s(self) -> float:
        return float(self.t_s[-1] - self.t_s[0]) if self.count else 0.0

    def span(self, from_s: float = -math.inf, to_s: float = math.inf) -> tuple[int, int]:
        """Return the first tick with `from_s` <= t <= `to_s` and the one after the last."""
        first = int(np.searchsorted(self.t_s, from_s, side="left"))
        return first, max(int(np.searchsorted(self.t_s, to_s, side="right")), first)

    def columns(
        self, names: Iterable[str], from_s: float = -math.inf, to_s: float = math.inf
    ) -> dict[str, npt.NDArray[Any]]:
        """Return `t_s` and the named columns between two times; raise `RunLogError` for an unknown name.

        A measured channel has its sample time as `NAME@t` and its quality as `NAME@q`.
        """
        wanted = list(dict.fromkeys([TIME, *names]))
        for name in wanted[1:]:
            if name not in self._names:
                raise RunLogError(f"has no column {name}", where=str(self.folder), hint="see the run's channels")
        return self._read(wanted, *self.span(from_s, to_s))

    def block(self, first: int, last: int) -> RingBlock:
        """Return ticks `first` .. `last` as a block of a ring."""
        names = self.table.names
        measured = names[: self.measured]
        timed, judged = [name + SAMPLED for name in measured], [name + QUALITY for name in measured]
        read = self._read([TIME, *names, *timed, *judged], first, last)
        k = len(read[TIME])
        return RingBlock(
            0,
            first,
            0,
            read[TIME],
            np.array([read[name] for name in names]).reshape(len(names), k),
            np.array([read[name] for name in timed]).reshape(len(timed), k),
            np.array([read[name] for name in judged], np.uint8).reshape(len(judged), k),
        )

    def events(self) -> list[EventRecord]:
        """Return the events in order; see `read_events`."""
        return read_events(self.folder, self.about.schema, self.start_s)

    def gaps(self, longer_s: float | None = None) -> list[TickGap]:
        """Return intervals without ticks of more than `longer_s`; the default is one and a half usual periods."""
        steps = np.diff(self.t_s)
        if not len(steps):
            return []
        bound = 1.5 * float(np.median(steps)) if longer_s is None else longer_s
        return [TickGap(float(self.t_s[at]), float(self.t_s[at + 1])) for at in np.flatnonzero(steps > bound)]

    def close(self) -> None:
        self._ticks.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @cached_property
    def _names(self) -> set[str]:
        names = self.table.names
        beside = (name + what for name in names[: self.measured] for what in (SAMPLED, QUALITY))
        return {TIME, *names, *beside}

    def _read(self, names: Sequence[str], first: int, last: int) -> dict[str, npt.NDArray[Any]]:
        try:
            return self._ticks.read(names, first, last)
        except ValueError as error:
            hint = "restore the folder from a copy"
            raise RunLogError(f"is damaged: {error}", where=str(self.folder), hint=hint) from error


def _sealed(folder: Path, about: RunInfo) -> RunInfo:
    """Seal a run that a killed process left; return it unsealed if the disk is full, because it can still be read."""
    try:
        return seal(folder, about, lost=about.lost, recovered=True)
    except RunLogError as error:
        if isinstance(error.__cause__, OSError) and (folder / STREAM).exists():
            return about
        raise


def _ticks(folder: Path, about: RunInfo) -> Ticks:
    sealed = folder / SEALED
    return ParquetColumns(sealed) if sealed.exists() else StreamColumns(folder / STREAM, about)
