"""Export of a run for other programs, in SI units with time from the run's first tick: CSV and MDF4."""

from __future__ import annotations

import csv
import io
from hashlib import blake2b
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

from drivers.errors import RunLogError, Usage
from drivers.output_file import Progress, is_special, make_draft, refuse_outputs, write_stream
from drivers.runlog.arrow import QUALITY, SAMPLED, TIME, csv_lines
from drivers.runlog.folder import list_own_files
from drivers.runlog.mdf4 import Mdf4Group, Mdf4Series, write_mdf4
from drivers.snapshot import Quality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from drivers.runlog.run import Run
    from drivers.snapshot import Channel, Floats

ROWS: Final = 2000
DOUBTFUL: Final = (Quality.MISSING, Quality.IMPLAUSIBLE)
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # how a formula of a spreadsheet begins


class _Cancelled(Exception):  # noqa: N818  # not an error: the user requested it
    pass


def unwatched(_done: float) -> bool:
    """Ignore the progress and continue."""
    return True


def export_csv(run: Run, path: Path, progress: Progress = unwatched) -> bool:
    """Write every tick's channels: names in the first line, units in the second, NaN empty.

    A name or unit that a spreadsheet would take for a formula begins with an apostrophe.

    Return False if `progress` did, and leave no file; raise `RunLogError` if the file cannot be written and `Usage` if
    it is a file of the run. `path` may be `-` for stdout, a device or a pipe.
    """

    def write(file: BinaryIO) -> None:
        file.write(_head(run))
        for first in range(0, run.count, ROWS):
            _go_on(progress, first / run.count)
            block = run.block(first, min(first + ROWS, run.count))
            file.write(csv_lines([block.t_s - run.start_s, *block.values]))

    return _export(run, path, lambda: write_stream(path, write), progress)


def export_mdf4(run: Run, path: Path, progress: Progress = unwatched) -> bool:
    """Write MDF 4.10, one channel group per time base: each measured value once, at its sample time.

    A value that is NaN, missing or implausible has an invalidation bit.
    Return False if `progress` did, and leave no file; raise `RunLogError` if the file cannot be written and `Usage` if
    it is a file of the run, or none.
    """
    if is_special(path):
        raise Usage("is no file, and MDF4 needs one", where=str(path), key="mdf4", value=str(path), hint="name a file")

    def write() -> None:
        with make_draft(path, ".mf4") as draft:  # asammdf accepts no other suffix
            write_mdf4(draft, _groups(run, progress), run.about.started)

    return _export(run, path, write, progress)


def refuse_run_files(outputs: Sequence[Path], folder: Path) -> None:
    """Raise `Usage` where an output is a file of the run in `folder` or of another run, or is named twice."""
    homes = [folder, *(output.parent for output in outputs)]
    refuse_outputs(outputs, [file for home in homes for file in list_own_files(home)])


def _export(run: Run, path: Path, write: Callable[[], None], progress: Progress) -> bool:
    refuse_run_files([path], run.folder)
    try:
        write()
    except _Cancelled:
        return False
    except OSError as error:
        hint = "free space there or name another place"
        raise RunLogError(f"cannot be written: {error.strerror}", where=str(path), hint=hint) from error
    progress(1.0)
    return True


def _go_on(progress: Progress, done: float) -> None:
    if not progress(done):
        raise _Cancelled


def _head(run: Run) -> bytes:
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow([TIME, *map(_as_text, run.table.names)])
    lines.writerow(["s", *(_as_text(channel.unit) for channel in run.table)])
    return text.getvalue().encode()


def _as_text(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _groups(run: Run, progress: Progress) -> Iterator[Mdf4Group]:
    bases = _bases(run)
    done = 0
    for name, channels in bases:
        _go_on(progress, done / max(len(run.table), 1))
        t_s = run.t_s if name == TIME else run.columns([name])[name]
        fresh = _fresh(t_s)
        series = tuple(_series(run, channel, fresh, measured=name != TIME) for channel in channels)
        yield Mdf4Group(channels[0].name, t_s[fresh] - run.start_s, series)
        done += len(channels)


def _series(run: Run, channel: Channel, fresh: npt.NDArray[np.bool_], *, measured: bool) -> Mdf4Series:
    names = [channel.name, channel.name + QUALITY] if measured else [channel.name]
    columns = run.columns(names)
    samples = columns[channel.name][fresh]
    invalid = ~np.isfinite(samples)
    if measured:
        invalid |= np.isin(columns[channel.name + QUALITY][fresh], DOUBTFUL)
    return Mdf4Series(channel.name, channel.unit, samples, invalid)


def _bases(run: Run) -> list[tuple[str, list[Channel]]]:
    """Return each time base as the column that holds it, with the channels sampled at these times."""
    bases: dict[bytes, tuple[str, list[Channel]]] = {}
    for channel in run.table.channels[: run.measured]:
        name = channel.name + SAMPLED
        digest = blake2b(run.columns([name])[name].tobytes()).digest()
        bases.setdefault(digest, (name, []))[1].append(channel)
    derived = list(run.table.channels[run.measured :])
    return [*bases.values(), *([(TIME, derived)] if derived else [])]


def _fresh(t_s: Floats) -> npt.NDArray[np.bool_]:
    """Mark each time that is later than all before it: a held, late or not yet known value is no new sample."""
    newest = np.fmax.accumulate(t_s) if len(t_s) else t_s
    before = np.concatenate([[-np.inf], np.nan_to_num(newest[:-1], nan=-np.inf)])
    return np.isfinite(t_s) & (t_s > before[: len(t_s)])
