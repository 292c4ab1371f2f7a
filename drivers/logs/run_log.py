"""Our own runs as logs: the voltage of one cell with the current through it and the temperature that was sensed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers import channel_names
from drivers.logs.table import Table, number_rows, refuse_log
from drivers.snapshot import Quality

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from drivers.logs.table import Cells, RepairJournal, Rows
    from drivers.runlog.run import Run
    from drivers.snapshot import Floats

TIME: Final = "t_s"
CELL_CURRENT: Final = "current of the cell"
MEAN_TEMPERATURE: Final = "mean temperature"
BAD: Final = (Quality.MISSING, Quality.IMPLAUSIBLE)


def find_cells(names: Collection[str]) -> list[int]:
    """Return the numbers of the cells whose voltage is among these channels, in order."""
    found = {
        int(number)
        for name in names
        for part in name.split("/")
        if (number := part.removeprefix(channel_names.CELL)) != part and number.isdigit()
    }
    return sorted(cell for cell in found if find_voltage(names, cell))


def choose_cell(path: Path, names: Collection[str], cell: int | None) -> dict[str, str]:
    """Return the channels of one cell, as `--columns` would name them; raise `LogError` where none can be chosen.

    Without a number, the only cell is chosen. The current is the loop's, else the one that the device measures.
    """
    cells = find_cells(names)
    if cell is None and len(cells) == 1:
        cell = cells[0]
    if cell is None or cell not in cells:
        what = f"has no cell {cell}" if cell is not None else f"has {len(cells)} cells"
        raise refuse_log(path, what, f"name one: --number {_range(cells)}", key="cell", value=cell, bound=_range(cells))
    current = next((name for name in (channel_names.SUPPLY_CURRENT, channel_names.PACK_CURRENT) if name in names), None)
    if current is None:
        hint = "name the columns: --columns voltage=...,current=..."
        raise refuse_log(path, "has no current of the loop or of the pack", hint, key="current")
    chosen = {"time": TIME} if TIME in names else {}  # an MDF file has its own
    chosen |= {"voltage": find_voltage(names, cell), "current": current}
    if sensors := [name for name in names if channel_names.SENSED_TEMPERATURES.fullmatch(name)]:
        chosen["temperature"] = sensors[0]
    return chosen


def open_run(path: Path, cell: int | None) -> tuple[Table, dict[str, str]]:
    """Return a run folder as a table, with the columns of one cell; raise `LogError` or `RunLogError`.

    The cell's current is the loop's and its own together. Its temperature is the mean of the sensors. A value that is
    missing or implausible is none.
    """
    from drivers.runlog.run import Run  # noqa: PLC0415  # it imports pyarrow

    run = Run.open(path)
    names = run.table.names
    chosen = choose_cell(path, names, cell)
    number = next(k for k in find_cells(names) if find_voltage(names, k) == chosen["voltage"])
    given = {"time": TIME, "voltage": chosen["voltage"], "current": CELL_CURRENT}
    shown = (TIME, *names, CELL_CURRENT, MEAN_TEMPERATURE)
    own = [name for name in (chosen["current"], channel_names.cell_current(number)) if name in names]
    sensors = [name for name in names if channel_names.SENSED_TEMPERATURES.fullmatch(name)]
    if sensors:
        given["temperature"] = MEAN_TEMPERATURE

    def take(places: Sequence[int], _: RepairJournal) -> tuple[list[Cells], Rows]:
        columns = {
            CELL_CURRENT: lambda: np.sum([read_channel(run, name) for name in own], axis=0),
            MEAN_TEMPERATURE: lambda: _mean([read_channel(run, name) for name in sensors]),
        }
        taken = [columns.get(shown[place], lambda place=place: read_channel(run, shown[place]))() for place in places]
        run.close()
        return taken, number_rows(run.count)

    units = ("s", *(channel.unit for channel in run.table), "A", "K")
    return Table("run", path, shown, take, units), given


def read_channel(run: Run, name: str) -> Floats:
    """Return a channel of a run, NaN where its quality forbids to use it."""
    if name == TIME:
        return run.t_s
    quality = name + "@q"
    measured = name in run.table.names[: run.measured]
    columns: dict[str, Any] = run.columns([name, quality] if measured else [name])
    values = np.array(columns[name], dtype=np.float64)
    if measured:
        values[np.isin(columns[quality], BAD)] = np.nan
    return values


def _mean(columns: Sequence[Floats]) -> Floats:
    """Return the mean of the values that are known in each row, NaN where none is."""
    stacked = np.array(columns)
    known = np.isfinite(stacked)
    number = known.sum(axis=0)
    total: Floats = np.where(known, stacked, 0.0).sum(axis=0)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def find_voltage(names: Collection[str], cell: int) -> str:
    """Return the channel of a cell's voltage: as the simulator measures it, else as the device does; else nothing."""
    choices = (channel_names.cell_voltage(cell), channel_names.sensed_voltage(cell))
    return next((name for name in choices if name in names), "")


def _range(cells: Sequence[int]) -> str:
    return f"{cells[0]} .. {cells[-1]}" if cells else "none"
