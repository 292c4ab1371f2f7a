"""MDF4 measurements: channels of any groups, brought to the times of the voltage by holding each value."""

from __future__ import annotations

from traceback import walk_tb
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.logs.optional import import_reader
from drivers.logs.table import Table, number_rows, refuse_log
from drivers.regular_file import open_regular

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drivers.logs.table import Cells, RepairJournal, Rows
    from drivers.snapshot import Floats

TIME: Final = "time"
_DAMAGED: Final = "the file is cut off or damaged: copy or export it again"


def open_measurement(path: Path) -> Table:
    """Return the channels of an MDF file, with a first column `time` in s; raise `LogError` for a damaged file.

    The rows are the samples of the first column that is taken beside the time; values of other groups are held.
    """
    asammdf = import_reader("asammdf", path, "bench")
    try:
        with open_regular(path) as raw, asammdf.MDF(raw) as file:
            found = [(name, *places[0]) for name, places in file.channels_db.items() if not _is_master(file, places[0])]
            units = tuple(str(file.groups[group].channels[index].unit or "") for _, group, index in found)
    except Exception as error:  # whatever its decoder raises for damaged bytes
        _disarm(error)
        raise refuse_log(path, "is no MDF file that can be read", _DAMAGED) from error

    def take(places: Sequence[int], _: RepairJournal) -> tuple[list[Cells], Rows]:
        wanted = [None if place == 0 else found[place - 1] for place in places]
        try:
            with open_regular(path) as raw, asammdf.MDF(raw) as file:
                signals = [None if one is None else _read(file, *one) for one in wanted]
        except Exception as error:
            _disarm(error)
            raise refuse_log(path, "is no MDF file that can be read", _DAMAGED) from error
        at_s = next(times for times, _ in filter(None, signals))
        columns = [at_s if signal is None else _hold(*signal, at_s) for signal in signals]
        return columns, number_rows(len(at_s))

    return Table("MDF", path, (TIME, *(name for name, *_ in found)), take, ("s", *units))


def _disarm(error: Exception) -> None:
    """Close the half-made file objects of asammdf: their `__del__` would fail for parts that they do not have yet."""
    for frame, _ in walk_tb(error.__traceback__):
        owner: Any = frame.f_locals.get("self")
        if type(owner).__module__.startswith("asammdf") and hasattr(owner, "close"):
            owner._closed = True  # noqa: SLF001  # there is no other way to say so
            if (scratch := getattr(owner, "_tempfile", None)) is not None:
                scratch.close()


def _is_master(file: Any, place: tuple[int, int]) -> bool:
    group, index = place
    return file.masters_db.get(group) == index


def _read(file: Any, name: str, group: int, index: int) -> tuple[Floats, Floats]:
    """Return times (s) and values of a channel; an invalid value is NaN."""
    signal = file.get(name, group=group, index=index, ignore_invalidation_bits=True)
    values = np.array(signal.samples, dtype=np.float64)
    if signal.invalidation_bits is not None:
        values[np.asarray(signal.invalidation_bits, dtype=bool)] = np.nan
    return np.asarray(signal.timestamps, dtype=np.float64), values


def _hold(times_s: Floats, values: Floats, at_s: Floats) -> Floats:
    """Return the last value at or before each time, NaN before the first one."""
    if len(times_s) == len(at_s) and np.array_equal(times_s, at_s):
        return values
    last = np.searchsorted(times_s, at_s, side="right") - 1
    held = np.append(values, np.nan)
    return held[np.where(last < 0, len(values), last)]
