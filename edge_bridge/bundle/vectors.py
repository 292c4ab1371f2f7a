"""Number tables as members of a bundle (NPY 1.0: float64, little endian); the reader does not trust their header."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from drivers.snapshot import Floats


def encode_table(table: Floats) -> bytes:
    """Write `table[rows, columns]` as bytes."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.ascontiguousarray(table, dtype="<f8"), version=(1, 0), allow_pickle=False)
    return file.getvalue()


def decode_table(data: bytes, columns: int) -> Floats:
    """Read `[rows, columns]`; raise `ValueError` for anything else. Use no more memory than the bytes themselves."""
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        shape, by_column, kind = np.lib.format.read_array_header_1_0(file)
    except Exception as error:  # a header is parsed as Python, which can raise many errors
        raise ValueError(f"it is not a table: {error}") from error
    header: Any = (version, kind, by_column, shape[1:])
    if header != ((1, 0), np.dtype("<f8"), False, (columns,)):
        raise ValueError(f"it is a table of {kind} {shape}, not of {columns} columns")
    return np.frombuffer(data, dtype="<f8", offset=file.tell()).reshape(shape).astype(np.float64)
