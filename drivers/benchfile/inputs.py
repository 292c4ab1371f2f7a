"""The files that a bench file names, with its cell, and the hashes of their contents."""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from drivers.benchfile.cell_file import CELLS, SUFFIX, list_cells
from drivers.benchfile.document import Document
from drivers.benchfile.model import FILE_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drivers.benchfile.model import Bench

PARAMETERS: Final = "parameters/"
NO_FILE: Final = ""  # the hash of a file that does not exist


@dataclass(frozen=True)
class NamedFile:
    """A file by its name relative to the bench file, and its path.

    `on_edge`: whether an edge reads it too. `is_shipped`: whether it comes with the program, below `PARAMETERS`.
    """

    name: str
    path: Path
    on_edge: bool = True
    is_shipped: bool = False


def list_inputs(bench: Bench) -> tuple[NamedFile, ...]:
    """Return every file that determines what a session on `bench` does, except the bench file itself.

    These are the device map and its DBC, the device's thresholds, the lanes' files, and the cell file, which may come
    with the program. Raise `BenchFileError` for a device map that cannot be read.
    """
    return (*_list_named(bench), *_list_shipped(bench))


def hash_inputs(bench: Bench) -> dict[str, str]:
    """Return the SHA-256 of every input by its name, `NO_FILE` for one that does not exist; raise `BenchFileError`."""
    return {file.name: hash_file(file.path) for file in list_inputs(bench)}


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text, `NO_FILE` if there is no file."""
    if not path.is_file():
        return NO_FILE
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def list_names(bench: Bench, device_map: Document) -> tuple[str, ...]:
    """Return the names of the files that an edge reads too, without `.` and `..`: device map, DBC, cell, lanes' files.

    Each is relative to the bench file, unless that names an absolute path or one outside its folder.
    """
    names = [bench.dut.map]
    if isinstance(dbc := device_map.values.get("dbc"), str):
        names.append(posixpath.join(posixpath.dirname(bench.dut.map), dbc))
    if bench.pack.cell not in list_cells():
        names.append(bench.pack.cell)
    names += [str(settings[key]) for settings in _get_settings(bench) for key in FILE_SETTINGS if key in settings]
    return tuple(dict.fromkeys(map(posixpath.normpath, names)))


def _list_named(bench: Bench) -> Iterator[NamedFile]:
    folder = bench.path.parent
    yield from (NamedFile(name, folder / name) for name in list_names(bench, Document.read(bench.dut_map)))
    if bench.device_limits is not None:
        thresholds = bench.device_limits.thresholds
        yield NamedFile(posixpath.normpath(thresholds), folder / thresholds, on_edge=False)


def _list_shipped(bench: Bench) -> Iterator[NamedFile]:
    """Yield the cell file if it is a shipped one."""
    name = bench.pack.cell
    if name in list_cells():
        yield NamedFile(f"{PARAMETERS}{name}{SUFFIX}", CELLS / f"{name}{SUFFIX}", is_shipped=True)


def _get_settings(bench: Bench) -> list[dict[str, Any]]:
    """Return the settings of all lanes as the bench file has them: paths are relative."""
    return [lane.get("settings", {}) for lane in bench.document.values["lane"]]
