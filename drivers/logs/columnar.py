"""Parquet and Arrow files: only the columns that a log needs are read."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.logs.optional import import_reader
from drivers.logs.table import Table, number_rows, refuse_log

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drivers.logs.table import Cells, RepairJournal, Rows

_PLAIN: Final = ("int", "uint", "half", "float", "double", "timestamp", "date", "duration")
DAMAGED: Final = "the file is cut off or damaged: copy or export it again"


def open_columnar(path: Path, *, arrow: bool) -> Table:
    """Return the table of a Parquet file, or of an Arrow (Feather) file; raise `LogError` for a damaged one."""
    import_reader("pyarrow", path, "bench")
    kind = "Arrow" if arrow else "Parquet"
    try:
        source: Any = _open_arrow(path) if arrow else import_module("pyarrow.parquet").ParquetFile(path)
        names = tuple(source.schema.names if arrow else source.schema_arrow.names)
    except Exception as error:  # whatever its decoder raises for damaged bytes
        raise refuse_log(path, f"is no {kind} file that can be read", DAMAGED) from error

    def take(places: Sequence[int], _: RepairJournal) -> tuple[list[Cells], Rows]:
        try:
            columns = [_to_cells(_read(source, names[place], arrow=arrow)) for place in places]
        except Exception as error:
            raise refuse_log(path, f"is no {kind} file that can be read", DAMAGED) from error
        return columns, number_rows(len(columns[0]))

    return Table(kind, path, names, take)


def _open_arrow(path: Path) -> Any:
    pa: Any = import_module("pyarrow")
    with pa.OSFile(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def _read(source: Any, name: str, *, arrow: bool) -> Any:
    return source.column(name) if arrow else source.read(columns=[name]).column(name)


def _to_cells(column: Any) -> Cells:
    """Return a column as numbers or times where it has them, else as objects; a null is NaN or NaT."""
    if str(column.type).startswith(_PLAIN):
        return column.to_numpy()
    cells = np.empty(len(column), dtype=object)  # one object for each row, also where it is a list
    cells[:] = column.to_pylist()
    return cells
