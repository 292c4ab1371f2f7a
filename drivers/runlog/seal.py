"""From the stream of a finished or killed run to Parquet; the stream goes only when the copy was read back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.errors import RunLogError
from drivers.runlog.arrow import TIME, ParquetColumns, ParquetSink, Rows, columns_of, stream_rows
from drivers.runlog.folder import SEALED, STREAM, About, store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from drivers.snapshot import Floats

GROUP_ROWS: Final = 2000  # 20 s at 100 Hz: what a short cut reads at least, and what a replay loads between two frames


def seal(
    folder: Path, about: About, *, lost: int, recovered: bool, progress: Callable[[float], object] = float
) -> About:
    """Seal the run in `folder`; raises `RunLogError` with the stream kept. `progress` gets the fraction done."""
    stream, sealed = folder / STREAM, folder / SEALED
    try:
        t_s = _times(sealed) if sealed.exists() else _converted(stream, sealed, about, progress)
        duration_s = float(t_s[-1] - t_s[0]) if len(t_s) else 0.0
        about = about.sealed(ticks=len(t_s), duration_s=duration_s, lost=lost, recovered=recovered)
        store(folder, about)
        stream.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        hint = "free space there and open the run again"
        raise RunLogError(f"cannot be sealed: {error}", where=str(folder), hint=hint) from error
    return about


def grouped(batches: Iterable[Rows], least: int = GROUP_ROWS) -> Iterator[Rows]:
    """The same rows in groups of at least `least`, the last one may be smaller."""
    waiting: list[Rows] = []
    for rows in batches:
        waiting.append(rows)
        if sum(map(len, waiting)) >= least:
            yield Rows.joined(waiting)
            waiting = []
    if waiting:
        yield Rows.joined(waiting)


def _converted(stream: Path, sealed: Path, about: About, progress: Callable[[float], object]) -> Floats:
    """Write the Parquet file under another name, compare it with the stream, then give it its own."""
    draft = sealed.with_name(f"{SEALED}.{os.getpid()}.part")
    try:
        t_s = _written(stream, draft, about, progress)
        if not np.array_equal(_times(draft), t_s):
            raise ValueError(f"{draft.name} does not hold the {len(t_s)} rows of {stream.name}")
        draft.replace(sealed)
    finally:
        draft.unlink(missing_ok=True)
    return t_s


def _written(stream: Path, draft: Path, about: About, progress: Callable[[float], object]) -> Floats:
    names = [name for name, *_ in about.channels]
    times: list[Floats] = [np.empty(0)]
    with stream.open("rb") as source, draft.open("wb") as target:
        size = max(os.fstat(source.fileno()).st_size, 1)
        with ParquetSink(target, names, about.measured) as sink:
            for rows in grouped(stream_rows(source, len(names), about.measured)):
                sink.write(columns_of(rows, names))
                times.append(rows.t_s)
                progress(source.tell() / size)
        target.flush()
        os.fsync(target.fileno())
    return np.concatenate(times)


def _times(path: Path) -> Floats:
    columns = ParquetColumns(path)
    try:
        return columns.read([TIME], 0, len(columns))[TIME]
    finally:
        columns.close()
