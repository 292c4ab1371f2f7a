"""Tables of numbers by name (CSV, Parquet, Excel): read with file, row and column of each mistake, and written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from drivers.errors import LogError, Usage
from drivers.logs.formats import open_table
from drivers.logs.numbers import to_numbers
from drivers.logs.table import RepairJournal
from drivers.output_file import refuse_outputs, write_stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from drivers.snapshot import Floats

Texts: TypeAlias = npt.NDArray[np.str_]
Numbers: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class NamedTable:
    """Columns of a file by name; `row[k]` is the row of entry k in the file, `notes` say which rows were left out."""

    path: Path
    names: tuple[str, ...]
    row: Numbers
    cells: tuple[npt.NDArray[Any], ...]
    decimal_comma: bool = False
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.row)

    def __contains__(self, name: str) -> bool:
        return self._find(name) is not None

    def take_numbers(self, name: str) -> Floats:
        """Return a column as numbers, NaN where a cell holds none; raise `LogError` where there is no such column."""
        return to_numbers(self._take(name), decimal_comma=self.decimal_comma)[0]

    def take_texts(self, name: str) -> Texts:
        """Return a column as text; raise `LogError` where there is no such column."""
        return np.array([_to_text(cell) for cell in self._take(name).tolist()], dtype=np.str_)

    def require(self, names: Sequence[str]) -> None:
        """Raise `LogError`, which names the first missing column, unless the table has all of them."""
        for name in names:
            self._take(name)

    def _take(self, name: str) -> npt.NDArray[Any]:
        place = self._find(name)
        if place is None:
            known = ", ".join(self.names[:12]) + (", ..." if len(self.names) > 12 else "")  # noqa: PLR2004  # a line
            what = f"has no column {name}"
            raise LogError(what, where=str(self.path), key=name, bound=known, hint=f"its columns are {known}")
        return self.cells[place]

    def _find(self, name: str) -> int | None:
        """Return the place of a name as it stands, else in another case."""
        if name in self.names:
            return self.names.index(name)
        lower = [known.strip().lower() for known in self.names]
        return lower.index(name.lower()) if name.lower() in lower else None


def read_table(path: Path, expected: Sequence[str] = ()) -> NamedTable:
    """Read a table; `expected` names columns by which its header is found below other lines.

    Raise `LogError` for what is no table or has no rows, `PackageMissing` for a format whose package is missing.
    """
    journal = RepairJournal()
    table = open_table(path, {name: name for name in expected})
    cells, row = table.take(range(len(table.names)), journal)
    if not len(row):
        raise LogError("has no rows", where=str(path), hint="export the table again")
    return NamedTable(path, table.names, row, tuple(cells), table.decimal_comma, tuple(journal.notes))


def write_table(path: Path, columns: Mapping[str, Sequence[Any]], inputs: Sequence[Path] = ()) -> None:
    """Write columns to a CSV or, by its suffix, a Parquet file: whole or not at all; None and NaN become empty.

    Raise `Usage` for a name that is a folder or one of `inputs`, `OSError` for a full disk.
    """
    refuse_outputs([path], inputs)
    import pyarrow as pa  # noqa: PLC0415  # a quarter of a second

    untyped: Any = pa
    table = untyped.table({name: untyped.array(list(values), from_pandas=True) for name, values in columns.items()})
    if path.suffix.lower() not in {".parquet", ".csv", ""}:
        raise Usage(f"{path} has no suffix of a table", key="out", value=str(path), hint="name a .csv or .parquet file")

    def write(file: BinaryIO) -> None:
        if path.suffix.lower() == ".parquet":
            from pyarrow import parquet  # noqa: PLC0415  # as above

            writer: Any = parquet
            writer.write_table(table, file)
        else:
            from pyarrow import csv  # noqa: PLC0415  # as above

            text: Any = csv
            text.write_csv(table, file)

    write_stream(path, write)


def _to_text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:g}"
    return str(cell).strip().strip('"')
