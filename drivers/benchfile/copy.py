"""Copy a bench into its own folder: the bench file and every file that it names, with adapted paths."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drivers.benchfile.cell_file import list_cells
from drivers.benchfile.document import Document
from drivers.benchfile.model import FILE_SETTINGS
from drivers.benchfile.read import read_bench
from drivers.errors import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drivers.benchfile.document import KeyPath
    from drivers.benchfile.model import Bench

OTHER_FILE: Final = "write the path in plain quotes, in one line with its key"


def copy_bench(path: Path, folder: Path) -> tuple[Path, ...]:
    """Copy a bench file, its device map, its DBC and all other files that it names into `folder`, the bench file first.

    A file from another folder is named without its folder; comments stay. Raise `BenchFileError` for a mistake in a
    file and `Usage` if a file already exists: nothing is overwritten.
    """
    bench = read_bench(path)
    copies = _Copies()
    copies.reserve(path.name)
    device_map = Document.read(bench.dut_map)
    contents = copies.rewrite(device_map, [("dbc",)])
    copies.keep(bench.dut_map, contents)
    if bench.cell.bpx:
        copies.keep(bench.cell.path, copies.rewrite(Document.read(bench.cell.path), [("physics", "bpx")]))
    return _write(folder, {path.name: copies.rewrite(bench.document, _named_in(bench)), **copies.contents})


def _named_in(bench: Bench) -> Iterable[KeyPath]:
    """Yield the keys of the bench file that name a file."""
    yield ("dut", "map")
    if bench.pack.cell not in list_cells():
        yield ("pack", "cell")
    if bench.device_limits is not None:
        yield ("device_limits", "thresholds")
    for number, lane in enumerate(bench.lane):
        yield from (("lane", number, "settings", key) for key in FILE_SETTINGS if key in lane.settings)


class _Copies:
    """The files of the copy: each source once, with a unique name."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self._names: dict[Path, str] = {}
        self._taken: set[str] = set()

    def reserve(self, name: str) -> str:
        """Return the name, or the next free one: `duty.csv`, `duty-2.csv`."""
        free, number = name, 1
        while free.casefold() in self._taken:
            number += 1
            free = f"{Path(name).stem}-{number}{Path(name).suffix}"
        self._taken.add(free.casefold())
        return free

    def keep(self, source: Path, contents: bytes | None = None) -> str:
        """Copy the file, with other contents if given; return its name in the copy."""
        source = source.resolve()
        if source not in self._names:
            self._names[source] = self.reserve(source.name)
            self.contents[self._names[source]] = source.read_bytes() if contents is None else contents
        return self._names[source]

    def rewrite(self, document: Document, named: Iterable[KeyPath]) -> bytes:
        """Return the file's bytes with the new name of each file that it names; raise `BenchFileError`."""
        lines = document.path.read_bytes().split(b"\n")
        for at in named:
            old = _value(document, at)
            new = self.keep(document.path.parent / old)
            if new != old:
                number = document.line(at) - 1
                lines[number] = _renamed(document, at, lines[number], old, new)
        return b"\n".join(lines)


def _value(document: Document, at: KeyPath) -> str:
    value: Any = document.values
    for step in at:
        value = value[step]
    return str(value)


def _renamed(document: Document, at: KeyPath, line: bytes, old: str, new: str) -> bytes:
    """Return the line with the new name as the value of the key."""
    written = "|".join(re.escape(text) for text in (json.dumps(old, ensure_ascii=False), f"'{old}'"))
    pattern = re.compile(rf"(\b{re.escape(str(at[-1]))}[\"']?\s*=\s*)(?:{written})".encode())
    changed, count = pattern.subn(lambda found: found[1] + json.dumps(new, ensure_ascii=False).encode(), line, count=1)
    if not count:
        raise document.mistake(at, "is written in a way that `bench copy` cannot change", value=old, hint=OTHER_FILE)
    return changed


def _write(folder: Path, contents: dict[str, bytes]) -> tuple[Path, ...]:
    """Write all files, or none if one of them already exists."""
    paths = tuple(folder / name for name in contents)
    for path in paths:
        if path.exists():
            raise Usage("exists already", where=str(path), key="folder", hint="name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for path, data in zip(paths, contents.values(), strict=True):
        with path.open("xb") as file:
            file.write(data)
    return paths
