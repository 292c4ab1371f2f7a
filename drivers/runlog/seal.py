"""Convert the stream of a finished or killed run to Parquet; delete the stream only after the copy was read back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO, Final

from drivers.errors import RunLogError
from drivers.private_files import open_private
from drivers.runlog.arrow import TIME, ParquetColumns, ParquetSink, RowBatch, columns_of, stream_rows
from drivers.runlog.folder import SEALED, STREAM, RunInfo, clear_drafts, store
from drivers.runlog.row_counter import read_count, remove_count
from drivers.state_file import draft_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from drivers.snapshot import Floats

BROKEN: Final = ".broken"
GROUP_ROWS: Final = 2000  # 20 s at 100 Hz: the least that a short cut reads, and what a replay loads between two frames


def seal(
    folder: Path, about: RunInfo, *, lost: int, recovered: bool, progress: Callable[[float], object] = float
) -> RunInfo:
    """Seal the run in `folder`; on failure keep the stream and raise `RunLogError`. `progress` gets the fraction done.

    Count the rows that the recorder received and the run lacks as lost, at least `lost`.
    A stream damaged before its end is kept as `ticks.arrows.broken`: whole rows may follow the damage.
    """
    stream, sealed = folder / STREAM, folder / SEALED
    try:
        clear_drafts(folder)
        t_s = _times(sealed) if sealed.exists() else _convert(stream, sealed, about, progress)
        duration_s = float(t_s[-1] - t_s[0]) if len(t_s) else 0.0
        lost = max(lost, read_count(folder) - len(t_s))
        about = about.sealed(ticks=len(t_s), duration_s=duration_s, lost=lost, recovered=recovered)
        store(folder, about)
        stream.unlink(missing_ok=True)
        remove_count(folder)
    except (OSError, ValueError) as error:
        hint = "free space there and open the run again"
        raise RunLogError(f"cannot be sealed: {error}", where=str(folder), hint=hint) from error
    return about


def group_batches(batches: Iterable[RowBatch], least: int = GROUP_ROWS) -> Iterator[RowBatch]:
    """Yield the same rows in groups of at least `least`; the last one may be smaller."""
    waiting: list[RowBatch] = []
    for rows in batches:
        waiting.append(rows)
        if sum(map(len, waiting)) >= least:
            yield RowBatch.joined(waiting)
            waiting = []
    if waiting:
        yield RowBatch.joined(waiting)


def _convert(stream: Path, sealed: Path, about: RunInfo, progress: Callable[[float], object]) -> Floats:
    """Write the Parquet file under another name, compare it with the stream, then rename it."""
    draft = draft_of(sealed)
    try:
        _write(stream, draft, about, lambda done: progress(done / 2))
        unread = _compare(stream, draft, about, lambda done: progress((1 + done) / 2))
        draft.replace(sealed)
        if unread:
            stream.replace(stream.with_name(f"{stream.name}{BROKEN}"))
    except FileNotFoundError:
        if not sealed.exists():  # else another process has just sealed the same run
            raise
    finally:
        draft.unlink(missing_ok=True)
    return _times(sealed)


def _write(stream: Path, draft: Path, about: RunInfo, progress: Callable[[float], object]) -> None:
    names = [name for name, *_ in about.channels]
    with open_private(draft, "wb") as target:
        with ParquetSink(target, names, about.measured) as sink:
            for rows in _Recorded(stream, about).groups(progress):
                sink.write(columns_of(rows, names))
        target.flush()
        os.fsync(target.fileno())


def _compare(stream: Path, draft: Path, about: RunInfo, progress: Callable[[float], object]) -> int:
    """Return how many bytes of the stream are unreadable; raise `ValueError` unless the draft equals the rest."""
    names = [name for name, *_ in about.channels]
    recorded, columns, first = _Recorded(stream, about), ParquetColumns(draft), 0
    try:
        for rows in recorded.groups(progress):
            there = columns_of(rows, names)
            copied = columns.read(list(there), first, first + len(rows))
            first += len(rows)
            for name, numbers in there.items():
                if copied[name].tobytes() != numbers.tobytes():
                    raise ValueError(f"{name} reads back other values than were recorded")
        if first != len(columns):
            raise ValueError(f"{len(columns)} rows read back, {first} were recorded")
    finally:
        columns.close()
    return recorded.unread


class _Recorded:
    """The rows of a stream in groups; `unread` counts the bytes after the last readable batch."""

    def __init__(self, stream: Path, about: RunInfo) -> None:
        self._stream, self._about = stream, about
        self.unread = 0

    def groups(self, progress: Callable[[float], object]) -> Iterator[RowBatch]:
        with self._stream.open("rb") as source:
            size = os.fstat(source.fileno()).st_size
            for rows in group_batches(self._batches(source, size)):
                yield rows
                progress(1.0 - self.unread / size)

    def _batches(self, source: BinaryIO, size: int) -> Iterator[RowBatch]:
        for rows in stream_rows(source, len(self._about.channels), self._about.measured):
            self.unread = size - source.tell()
            yield rows


def _times(path: Path) -> Floats:
    columns = ParquetColumns(path)
    try:
        return columns.read([TIME], 0, len(columns))[TIME]
    finally:
        columns.close()
