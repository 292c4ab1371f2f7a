"""A recording with asammdf, as its documentation shows: append all, save once, cut by `get` and `cut`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drivers.snapshot import Floats

_DEFLATED = 2  # transposed, then deflated: its smallest


def write(path: Path, t_s: Floats, names: Sequence[str], columns: Floats) -> None:
    """Write `columns[channels, rows]` in V on one time base."""
    asammdf: Any = import_module("asammdf")  # takes a second, carries no types
    with asammdf.MDF(version="4.10") as file:
        signals = [
            asammdf.Signal(samples=column, timestamps=t_s, name=name, unit="V")
            for name, column in zip(names, columns, strict=True)
        ]
        file.append(signals, common_timebase=True)
        file.save(path, overwrite=True, compression=_DEFLATED)


def cut(path: Path, name: str, from_s: float, to_s: float) -> Floats:
    """Open the file and return one channel between two times."""
    asammdf: Any = import_module("asammdf")
    with asammdf.MDF(path) as file:
        return file.get(name).cut(from_s, to_s).samples
