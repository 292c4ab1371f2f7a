"""Tables that verbs write for each row of a log: Parquet, or CSV by the name of the file."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.errors import Usage
from drivers.output_file import write_stream

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.logs.log import CellLog
    from drivers.snapshot import Floats

SUFFIXES: Final = (".parquet", ".csv")


def refuse_suffix(path: Path) -> None:
    """Raise `Usage` for a name that says neither Parquet nor CSV."""
    if path.suffix.lower() not in SUFFIXES:
        what = "is neither a Parquet nor a CSV file"
        raise Usage(what, where=str(path), key="out", value=path.suffix, bound=" or ".join(SUFFIXES), hint="rename it")


def spread_rows(log: CellLog, columns: dict[str, Any]) -> dict[str, Any]:
    """Return the columns with a row for each row that was read: one that was left out repeats the row before.

    A last column, `row`, is the row in the file. Where the rows were sorted by time, only the kept ones are written.
    """
    kept = log.row
    if len(log.rows_read) == len(kept) or not bool((np.diff(kept) > 0).all()):
        return {**columns, "row": kept}
    place = np.clip(np.searchsorted(kept, log.rows_read, side="right") - 1, 0, len(kept) - 1)
    return {**{name: np.asanyarray(values)[place] for name, values in columns.items()}, "row": log.rows_read}


def write_table(path: Path, columns: dict[str, Floats], about: dict[str, str]) -> None:
    """Write the columns, whole or not at all; `about` goes into the file's metadata. Raise `OSError`.

    A value that is masked is null.
    """
    library: Any = import_module("pyarrow")  # 0.2 s, and carries no types
    for format_ in ("pyarrow.csv", "pyarrow.parquet"):
        import_module(format_)
    table = library.table(columns).replace_schema_metadata(about)
    as_csv = path.suffix.lower() == ".csv"
    write = library.csv.write_csv if as_csv else library.parquet.write_table
    write_stream(path, lambda file: write(table, file))
