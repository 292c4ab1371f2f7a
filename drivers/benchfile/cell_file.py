"""Read a cell file: `pulsebms.cell/2`, or the version before it, which kept circuit and plating in other files."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from drivers.benchfile.bpx_file import parse_bpx
from drivers.benchfile.cell_sections import DEFAULT, SCHEMA, CellFile
from drivers.benchfile.document import Document
from drivers.benchfile.validation import suggest, validate
from drivers.errors import BenchFileError

CELLS: Final = Path(__file__).resolve().parents[1] / "cells"  # the shipped ones
SUFFIX: Final = ".toml"
_BEFORE: Final = "pulsebms.cell/1"
_THERMAL: Final = ("heat_capacity_j_k", "cooling_w_k")


@dataclass(frozen=True, eq=False)
class Cell:
    """A checked cell file; `sha256` covers all that a model reads; `notes`: what was converted, a sentence each.

    `text`: for a record, with the BPX file that the cell names; `bpx`: the text of that file.
    """

    path: Path
    file: CellFile
    text: str
    sha256: str
    notes: tuple[str, ...] = ()
    bpx: str = ""


def list_cells() -> list[str]:
    """Return the names of the shipped cells."""
    return sorted(path.stem for path in CELLS.glob(f"*{SUFFIX}"))


def read_default_cell() -> Cell:
    """Return the cell of whoever names none."""
    return read_cell(CELLS / f"{DEFAULT}{SUFFIX}")


def find_cell(name: str, folder: Path) -> Path:
    """Return the file of a shipped cell, or of `name` as a path from `folder`; raise `BenchFileError`."""
    if name in list_cells():
        return CELLS / f"{name}{SUFFIX}"
    if (path := folder / name).is_file():
        return path
    hint = f"{suggest(name, list_cells(), 'shipped cells')}, or name a file from {folder}"
    raise BenchFileError(f"there is no cell {name!r}", value=name, bound="a shipped cell or a file", hint=hint)


def read_cell(path: Path) -> Cell:
    """Read and check a cell file; raise `BenchFileError`: file, line, key, value and bound.

    An unchanged file is parsed once (50 ms); one that names files beside it, each time.
    """
    try:
        status = path.stat()
    except OSError:
        return _make_cell(Document.read(path))  # which says why
    cell = _read_once(path, status.st_mtime_ns, status.st_size)
    physics = cell.file.physics
    return _make_cell(Document.read(path)) if cell.notes or (physics is not None and physics.bpx) else cell


@functools.lru_cache
def _read_once(path: Path, changed_ns: int, size: int) -> Cell:
    del changed_ns, size  # of the content that is kept
    return _make_cell(Document.read(path))


def parse_cell(path: Path, text: str) -> Cell:
    """Check the text of a cell file as if it were the file at `path`; raise `BenchFileError`."""
    return _make_cell(Document.parse(path, text))


def _make_cell(document: Document) -> Cell:
    values, notes = _convert(document)
    file = validate(document, CellFile, values)
    bpx, recorded = _read_physics(document, file)
    text = json.dumps(file.content(), sort_keys=True, separators=(",", ":")) + bpx
    return Cell(document.path, file, recorded, hashlib.sha256(text.encode()).hexdigest(), notes, bpx)


def _read_physics(document: Document, file: CellFile) -> tuple[str, str]:
    """Return the text of the BPX file, checked, and that of the cell file with it; empty and as is without one."""
    physics = file.physics
    if physics is None or not physics.bpx:
        return "", document.text
    if physics.embedded is not None:
        return physics.embedded.bpx, document.text
    bpx = _read_beside(document, ("physics", "bpx"), physics.bpx)
    parse_bpx(document.path.parent / physics.bpx, bpx)
    return bpx, f"{document.text.rstrip()}\n\n[physics.embedded]\nbpx = {json.dumps(bpx)}\n"


def _convert(document: Document) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the values with today's tables, and a sentence if they had older ones; refuse versions before that."""
    found: Any = document.values.get("schema")
    if found not in {SCHEMA, _BEFORE}:
        what, hint = f"is {found!r}, not {SCHEMA}", f"write a cell file of {SCHEMA}"
        raise document.mistake(("schema",), what, value=str(found), bound=SCHEMA, hint=hint)
    if found == SCHEMA:
        return document.values, ()
    parts = {key: _read_table(document, key) for key in ("circuit", "plating")}
    circuit, plating = dict(parts["circuit"].values), dict(parts["plating"].values)
    thermal = {key: circuit.pop(key) for key in _THERMAL if key in circuit}
    plating.pop("schema", None)
    read_from = {table: f"{table} of {document.path.name} ({_BEFORE})" for table in ("limits", "wear")}
    values = {
        **document.values,
        "schema": SCHEMA,
        "capacity_ah": circuit.get("capacity_ah"),
        "bms": _guess_bms(cast("dict[str, Any]", document.values.get("limits", {}))),
        "thermal": thermal,
        "circuit": circuit,
        "plating": plating,
        "physics": {"parameter_set": document.values.get("name", "")},
        "source": {
            **read_from,
            "physics": "PyBaMM's parameter set of the cell's name",
            "bms": f"computed from limits: {_BEFORE} has none",
            "thermal": parts["circuit"].path.name,
            "circuit": parts["circuit"].path.name,
            "plating": parts["plating"].path.name,
        },
    }
    names = " and ".join(part.path.name for part in parts.values())
    return values, (f"{document.path.name} is of {_BEFORE}: it was read together with {names} as one {SCHEMA}",)


def _guess_bms(limits: dict[str, Any]) -> dict[str, Any]:
    """Return what a BMS would keep of a cell that only declares what it bears."""
    try:
        low_v, high_v = (float(value) for value in limits["voltage_v"])
        low_c, high_c = (float(value) for value in limits["temperature_degc"])
    except (KeyError, TypeError, ValueError):
        return {}  # the check of limits says what is wrong
    return {
        "voltage_v": [low_v + 0.1 * (high_v - low_v), high_v + 0.05],
        "temperature_degc": [low_c, high_c],
        "charge_c": limits.get("charge_c"),
        "discharge_c": limits.get("discharge_c"),
        "balance_above_v": low_v + 0.5 * (high_v - low_v),
    }


def _read_table(document: Document, key: str) -> Document:
    """Return the file that `key` names beside the cell file."""
    _read_beside(document, (key,), document.values.get(key))
    return Document.read(document.path.parent / str(document.values[key]))


def _read_beside(document: Document, at: tuple[str, ...], name: object) -> str:
    """Return the text of a file beside the cell file; raise `BenchFileError` that names the key."""
    if not isinstance(name, str) or not (document.path.parent / name).is_file():
        hint = f"paths are relative to {document.path.parent}"
        raise document.mistake(at, f"= {name!r} is not a file", value=str(name), bound="a file", hint=hint)
    return (document.path.parent / name).read_text(encoding="utf-8")
