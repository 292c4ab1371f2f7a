"""Binary files of cyclers that a package of the extra `logs` reads: BioLogic .mpr, Neware .nda and .ndax."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.logs.optional import import_reader
from drivers.logs.table import Table, number_rows, refuse_log
from drivers.regular_file import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from drivers.logs.table import Cells, RepairJournal, Rows

EXTRA: Final = "logs"


def open_biologic(path: Path) -> Table:
    """Return the records of a BioLogic .mpr file; raise `LogError` where galvani cannot read it."""
    reader = import_reader("galvani.BioLogic", path, EXTRA)

    def read() -> Any:
        with open_regular(path) as file:  # it leaves a file open that it opens itself
            return reader.MPRfile(file).data

    records = _read(path, "a BioLogic .mpr file", read)
    return _make(path, "BioLogic .mpr", tuple(records.dtype.names), lambda name: np.asarray(records[name]))


def open_neware(path: Path) -> Table:
    """Return the records of a Neware .nda or .ndax file; raise `LogError` where NewareNDA cannot read it."""
    reader = import_reader("NewareNDA", path, EXTRA)
    records = _read(path, "a Neware .nda or .ndax file", lambda: reader.read(str(path)))
    names = tuple(str(name) for name in records.columns)
    return _make(path, "Neware .nda", names, lambda name: records[name].to_numpy())


def _make(path: Path, kind: str, names: tuple[str, ...], column: Callable[[str], Cells]) -> Table:
    def take(places: Sequence[int], _: RepairJournal) -> tuple[list[Cells], Rows]:
        columns = [column(names[place]) for place in places]
        return columns, number_rows(len(columns[0]))

    return Table(kind, path, names, take, vendor_hint=kind.split(maxsplit=1)[0])


def _read(path: Path, kind: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except Exception as error:  # whatever its decoder raises for damaged bytes or a newer version
        raise refuse_log(
            path, f"is not {kind} that can be read: {error}", "export it as text from the maker's program"
        ) from error
