"""Read a path as a checked `Bench`, or raise the error that names the line to correct."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from drivers.benchfile.cell_defaults import fill_limits, list_beyond_cell, list_ranges
from drivers.benchfile.cell_file import CELLS, find_cell, list_cells, parse_cell, read_cell
from drivers.benchfile.checks import mistakes, not_finite
from drivers.benchfile.conversions import NO_CELL_AH, conflicts, convert, fill_capacity
from drivers.benchfile.document import Document
from drivers.benchfile.model import FILE_SETTINGS, Bench
from drivers.benchfile.validation import raise_first, validate
from drivers.errors import BenchFileError

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.benchfile.cell_file import Cell


def read_bench(path: Path) -> Bench:
    """Read and check a bench file; raise `BenchFileError`, which carries the other mistakes."""
    bench = _bench(Document.read(path), lambda name: read_cell(find_cell(name, path.parent)), files=True)
    for lane in bench.lane:
        for key in FILE_SETTINGS:
            if key in lane.settings:
                lane.settings[key] = str((path.parent / lane.settings[key]).resolve())
    return bench


def read_recorded_bench(name: str, text: str, cell_text: str = "") -> Bench:
    """Read the bench file `name` that a run or a bundle contains: only `text`, without the files that it names.

    `cell_text`: the cell file that is recorded beside it. Raise `BenchFileError`.
    """

    def find(cell: str) -> Cell:
        if cell_text:
            return parse_cell(Path(cell), cell_text)
        if cell not in list_cells():
            what, hint = f"names the cell file {cell!r}, which was not recorded", "open the run with its cell file"
            raise BenchFileError(what, value=cell, hint=hint)
        return read_cell(CELLS / f"{cell}.toml")

    return _bench(Document.parse(Path(name), text), find, files=False)


def _bench(document: Document, find: Callable[[str], Cell], *, files: bool) -> Bench:
    """Return the checked bench of `document`; `files`: whether the files that it names must exist."""
    raise_first(not_finite(document, document.values))
    raise_first(conflicts(document))
    values, notes = convert(document)
    cell = _find_cell(document, values, find)
    bench = validate(document, Bench, fill_capacity(values, NO_CELL_AH if cell is None else cell.file.capacity_ah))
    if cell is None:
        raise AssertionError("a bench without a cell is not valid")
    ranges = list_ranges(cell, bench.pack, bench.io_box.thermistors)
    bench = bench.model_copy(update={"limit": fill_limits(bench.limit, ranges)})
    bench._document, bench._cell, bench._notes = document, cell, (*notes, *cell.notes)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # the reader completes it
    raise_first((*mistakes(bench, files=files), *list_beyond_cell(bench, ranges)))
    return bench


def _find_cell(document: Document, values: dict[str, Any], find: Callable[[str], Cell]) -> Cell | None:
    """Return the cell that `[pack]` names; None where it names none in a way that can be read."""
    pack: Any = values.get("pack")
    name: Any = cast("dict[str, Any]", pack).get("cell") if isinstance(pack, dict) else None
    if not isinstance(name, str) or not name:
        return None
    try:
        return find(name)
    except BenchFileError as error:
        if error.where is not None:  # of the cell file itself
            raise
        what = f'= "{name}" is neither a shipped cell nor a file'
        raise document.mistake(("pack", "cell"), what, value=name, bound=error.bound, hint=error.hint) from error
