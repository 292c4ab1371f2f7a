"""MATLAB files up to version 7: vectors of one length, at the top or inside structures and cells, are a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from drivers.logs.choose import count_roles
from drivers.logs.optional import import_reader
from drivers.logs.table import Table, number_rows, refuse_log

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from drivers.logs.table import Cells, RepairJournal, Rows

DEEPEST: Final = 6  # structures inside structures
LEAST: Final = 2  # values of a vector


def open_matlab(path: Path) -> Table:
    """Return the vectors of that length for which most names are known; raise `LogError` for a damaged file.

    A vector inside structures is named by its path: `battery_tests.Current`.
    """
    loader = import_reader("scipy.io", path, "bench")
    try:
        content: dict[str, Any] = loader.loadmat(path)
    except Exception as error:  # whatever its decoder raises for damaged bytes
        raise refuse_log(path, "is no MATLAB file that can be read", "save it again with save -v7") from error
    tables: dict[int, dict[str, Cells]] = {}
    for name, value in content.items():
        if not name.startswith("__"):
            for inner, vector in _find_vectors(name, value, DEEPEST):
                tables.setdefault(len(vector), {})[inner] = vector
    if not tables:
        raise refuse_log(path, "holds no vectors of numbers", "save time, voltage and current as vectors")
    columns = max(tables.values(), key=lambda table: (count_roles(list(table)), len(next(iter(table.values())))))
    names = tuple(columns)

    def take(places: Sequence[int], _: RepairJournal) -> tuple[list[Cells], Rows]:
        vectors = [columns[names[place]] for place in places]
        return vectors, number_rows(len(vectors[0]))

    return Table("MATLAB", path, names, take)


def _find_vectors(name: str, value: Any, deeper: int) -> Iterator[tuple[str, Cells]]:
    if not isinstance(value, np.ndarray) or not deeper:
        return
    vector = cast("npt.NDArray[Any]", value)
    if vector.dtype.names:
        for field in vector.dtype.names if vector.size == 1 else ():
            yield from _find_vectors(f"{name}.{field}", vector[field].ravel()[0], deeper - 1)
    elif vector.dtype.kind == "O":
        for k, inner in enumerate(vector.ravel().tolist(), 1):
            yield from _find_vectors(name if vector.size == 1 else f"{name}.{k}", inner, deeper - 1)
    elif vector.dtype.kind in "fiub" and vector.size >= LEAST and vector.size == max(vector.shape):
        yield name, vector.ravel()
