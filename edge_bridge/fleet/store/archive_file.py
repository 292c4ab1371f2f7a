"""A day of rows as a Parquet file: written, read back, and only then given its name."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.errors import StoreFailed
from edge_bridge.fleet.columns import COLUMNS
from edge_bridge.sparkplug.payload import DataType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from edge_bridge.ranges import Range

pa: Final[Any] = import_module("pyarrow")  # it has no type hints; Any ends here
pc: Final[Any] = import_module("pyarrow.compute")
pq: Final[Any] = import_module("pyarrow.parquet")
SCHEMA_VERSION: Final = 1
_TYPES: Final = {DataType.DOUBLE: pa.float64(), DataType.INT64: pa.int64(), DataType.STRING: pa.string()}
_FIELDS: Final[list[tuple[str, Any]]] = [
    *((name, pa.string()) for name in ("node", "boot")),
    *((name, pa.int64()) for name in ("seq", "t_ms")),
    ("historical", pa.bool_()),
    *((name, pa.string()) for name in ("clock", "gap_boot")),
    *((name, pa.int64()) for name in ("gap_first", "gap_last")),
    *((column.name, _TYPES[column.datatype]) for column in COLUMNS),
]
FIELD_NAMES: Final = tuple(name for name, _ in _FIELDS)
_KEY: Final = ["node", "boot", "seq"]


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file that was read back: its rows as ranges by node and boot, and the checksum of its bytes."""

    path: Path
    rows: int
    sha256: str
    spans: Mapping[tuple[str, str], Sequence[Range]]


def write_archive(path: Path, batches: Iterable[Sequence[Sequence[Any]]], about: Mapping[str, str]) -> ArchiveFile:
    """Write rows in the order of their key, read them back, and give the file its name.

    Raise `StoreFailed` if the folder has no room, or if the disk gives back something else; no file is left then.
    """
    part = path.with_name(f"{path.name}.part")
    schema = pa.schema(_FIELDS, metadata={"pulsebms_rows": str(SCHEMA_VERSION), **about})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows, digest = write_rows(part, schema, batches)
        found = read_archive(part)
        if (found.rows, _digest(_read_groups(part))) != (rows, digest):
            raise StoreFailed("did not keep what was written; nothing was dropped", where=str(part), key="archive")
        part.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        what = f"the archive cannot be written: {error.strerror or error}; nothing was dropped"
        raise StoreFailed(what, where=str(path), key="archive", hint="make room, or name another folder") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return ArchiveFile(path, rows, found.sha256, found.spans)


def read_archive(path: Path) -> ArchiveFile:
    """Read which rows a file holds, and its checksum; raise `StoreFailed` for one that cannot be read."""
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        spans, rows = defaultdict[tuple[str, str], "list[Range]"](list), 0
        for table in _read_groups(path, _KEY):
            rows += table.num_rows
            _add_ranges(spans, table)
    except (OSError, pa.ArrowException) as error:
        words = f"cannot be read, so no row that it holds is dropped: {str(error).partition(chr(10))[0]}"
        raise StoreFailed(words, where=str(path), key="archive", hint="restore this file") from error
    return ArchiveFile(path, rows, sha256, spans)


def write_rows(part: Path, schema: Any, batches: Iterable[Sequence[Sequence[Any]]]) -> tuple[int, str]:
    """Write all rows and bring them to the disk; return their number and the checksum of their values."""
    rows, tables = 0, list[bytes]()
    with part.open("wb") as file:
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for batch in batches:
                columns = zip(*batch, strict=True)
                table = pa.table(
                    [pa.array(column, kind) for column, (_, kind) in zip(columns, _FIELDS, strict=True)], schema
                )
                writer.write_table(table, row_group_size=len(batch))
                rows += len(batch)
                tables.append(_digest_table(table))
        file.flush()
        os.fsync(file.fileno())
    return rows, hashlib.sha256(b"".join(tables)).hexdigest()


def _digest(tables: Iterable[Any]) -> str:
    return hashlib.sha256(b"".join(map(_digest_table, tables))).hexdigest()


def _digest_table(table: Any) -> bytes:
    """Return a checksum of the values, whatever the layout in memory is."""
    digest = hashlib.sha256()
    for column in table.itercolumns():
        values: Any = pa.concat_arrays(column.chunks) if column.num_chunks else column.combine_chunks()
        digest.update(np.packbits(pc.is_null(values).to_numpy(zero_copy_only=False)).tobytes())
        if pa.types.is_string(values.type):
            filled = pc.fill_null(values, "")
            digest.update(pc.binary_length(filled).to_numpy(zero_copy_only=False).tobytes())
            whole: Any = pa.ListArray.from_arrays(pa.array([0, len(filled)], pa.int32()), filled)
            digest.update(pc.binary_join(whole, "")[0].as_py().encode())
        else:
            filled = pc.fill_null(values, False if pa.types.is_boolean(values.type) else 0)
            digest.update(filled.to_numpy(zero_copy_only=False).tobytes())
    return digest.digest()


def _read_groups(path: Path, columns: list[str] | None = None) -> Iterator[Any]:
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group, columns=columns)


def _add_ranges(spans: dict[tuple[str, str], list[Range]], table: Any) -> None:
    """Add the ranges of rows that are ordered by key."""
    if not table.num_rows:
        return
    nodes, boots = (table[name].combine_chunks().dictionary_encode() for name in ("node", "boot"))
    seqs = table["seq"].to_numpy()
    steps = [np.diff(one.indices.to_numpy()) != 0 for one in (nodes, boots)]
    ends = np.flatnonzero(steps[0] | steps[1] | (np.diff(seqs) != 1))
    for first, last in zip([0, *(ends + 1)], [*ends, len(seqs) - 1], strict=True):
        ranges = spans[nodes[int(first)].as_py(), boots[int(first)].as_py()]
        if ranges and ranges[-1][1] + 1 == seqs[first]:
            ranges[-1] = (ranges[-1][0], int(seqs[last]))
        else:
            ranges.append((int(seqs[first]), int(seqs[last])))


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # a folder cannot be opened there; the file is on the disk
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
