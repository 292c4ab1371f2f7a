"""The only use of pyarrow: rows to a stream of messages and back, and columns to Parquet and back.

While recording, a row stays whole (`t_s`, and lists of values, sample times and qualities). A batch is then four
arrays, so the writer thread takes the interpreter from the loop for well under 1 ms. In a sealed run every channel
is a column of its own, and measured channels have the columns `NAME@t` and `NAME@q` too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self

import numpy as np
import numpy.typing as npt

from drivers.errors import describe_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from drivers.snapshot import Bytes, Floats

pa: Final[Any] = import_module("pyarrow")  # it has no type hints; Any ends here
pq: Final[Any] = import_module("pyarrow.parquet")

TIME: Final = "t_s"
SAMPLED: Final = "@t"
QUALITY: Final = "@q"


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Rows as recorded: `t_s[k]`, `values[k,C]`, `sampled_s[k,M]`, `quality[k,M]`."""

    t_s: Floats
    values: Floats
    sampled_s: Floats
    quality: Bytes

    def __len__(self) -> int:
        return len(self.t_s)

    @classmethod
    def none(cls, channels: int, measured: int) -> Self:
        """Return a batch without rows, of this shape."""
        return cls(np.empty(0), np.empty((0, channels)), np.empty((0, measured)), np.empty((0, measured), np.uint8))

    @classmethod
    def joined(cls, parts: Sequence[RowBatch]) -> Self:
        """Concatenate several batches."""
        return cls(
            np.concatenate([part.t_s for part in parts]),
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.sampled_s for part in parts]),
            np.concatenate([part.quality for part in parts]),
        )


class _MemoryFile:
    """A file in memory that keeps the bytes written since the last `take`."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None: ...

    def take(self) -> bytes:
        """Return the bytes since the last call."""
        whole, self._parts = b"".join(self._parts), []
        return whole


class StreamEncoder:
    """Encoder of rows to the bytes of an Arrow stream: `opening` once, then one message per batch."""

    def __init__(self, channels: int, measured: int) -> None:
        self._buffer = _MemoryFile()
        lists = [(name, pa.list_(kind, width)) for name, kind, width in _lists(channels, measured)]
        self._schema = pa.schema([(TIME, pa.float64()), *lists])
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        self._writer = pa.ipc.new_stream(pa.PythonFile(self._buffer, mode="w"), self._schema, options=options)
        self.opening = self.message(RowBatch.none(channels, measured))  # Arrow writes the schema with the first batch

    def message(self, rows: RowBatch) -> bytes:
        """Return the message of one batch, compressed."""
        lists = [(getattr(rows, field.name).reshape(-1), field.type) for field in list(self._schema)[1:]]
        arrays = [pa.FixedSizeListArray.from_arrays(_array(numbers), type=kind) for numbers, kind in lists]
        self._writer.write_batch(pa.record_batch([_array(rows.t_s), *arrays], schema=self._schema))
        return self._buffer.take()


def _lists(channels: int, measured: int) -> list[tuple[str, Any, int]]:
    """Return name, type and width of the lists in a row; none of width 0, at which Arrow ends the process."""
    lists = [
        ("values", pa.float64(), channels),
        ("sampled_s", pa.float64(), measured),
        ("quality", pa.uint8(), measured),
    ]
    return [(name, kind, width) for name, kind, width in lists if width]


def _array(numbers: npt.NDArray[Any]) -> Any:
    """Return the same memory as an Arrow array; `pa.array` would first import pandas, 0.4 s in the middle of a run."""
    numbers = np.ascontiguousarray(numbers)
    kind = pa.uint8() if numbers.dtype == np.uint8 else pa.float64()
    return pa.Array.from_buffers(kind, len(numbers), [None, pa.py_buffer(numbers)])


def stream_rows(file: BinaryIO, channels: int, measured: int) -> Iterator[RowBatch]:
    """Yield batches up to the end of the stream or its first damage; raise `ValueError` if it has no valid start."""
    try:
        reader = pa.ipc.open_stream(file)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(_describe_error(error)) from error
    if reader.schema.names != [TIME, *(name for name, *_ in _lists(channels, measured))]:
        raise ValueError("its columns are not those of a run")
    while (batch := _next(reader)) is not None:
        empty = RowBatch.none(channels, measured)
        lists = {
            name: batch.column(name).flatten().to_numpy().reshape(batch.num_rows, width)
            for name, _, width in _lists(channels, measured)
        }
        yield replace(empty, t_s=batch.column(TIME).to_numpy(), **lists)


def _next(reader: Any) -> Any:
    try:
        return reader.read_next_batch()
    except (StopIteration, pa.ArrowException, OSError):
        return None  # the end, or a message that a killed writer never finished


def _describe_error(error: Exception) -> str:
    return describe_error(error).splitlines()[0]


def columns_of(rows: RowBatch, names: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """Return the column arrays by name, as in a sealed run; `names` are those of the channels."""
    measured = names[: rows.sampled_s.shape[1]]
    values, sampled_s, quality = (np.ascontiguousarray(part.T) for part in (rows.values, rows.sampled_s, rows.quality))
    columns: dict[str, npt.NDArray[Any]] = {TIME: rows.t_s, **dict(zip(names, values, strict=True))}
    columns |= {name + SAMPLED: line for name, line in zip(measured, sampled_s, strict=True)}
    columns |= {name + QUALITY: line for name, line in zip(measured, quality, strict=True)}
    return columns


class ParquetSink:
    """Writer of a Parquet file, one row group per `write`; the end of the context completes it."""

    def __init__(self, file: BinaryIO, names: Sequence[str], measured: int) -> None:
        floats = [TIME, *names, *(name + SAMPLED for name in names[:measured])]
        fields = [(name, pa.float64()) for name in floats]
        self._schema = pa.schema(fields + [(name + QUALITY, pa.uint8()) for name in names[:measured]])
        # measured here: splitting a float's bytes before zstd saves a fifth over plain, a third over dictionaries
        self._writer = pq.ParquetWriter(
            file,
            self._schema,
            compression="zstd",
            use_dictionary=False,
            use_byte_stream_split=floats,
            write_statistics=[TIME],
        )

    def write(self, columns: dict[str, npt.NDArray[Any]]) -> None:
        self._writer.write_table(pa.table([_array(columns[name]) for name in self._schema.names], schema=self._schema))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *exc: object) -> None:
        """Write the footer, unless an error ends the context; the file itself stays open."""
        try:
            if kind is None:
                self._writer.close()
        finally:
            self._writer.is_open = False  # or its destructor would write to a file that is closed by then


class ParquetColumns:
    """Reader of some columns over some rows of a Parquet file; raises `ValueError` if it is not one."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(_describe_error(error)) from error
        groups = [self._file.metadata.row_group(number).num_rows for number in range(self._file.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(groups, dtype=np.int64)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def read(self, names: Sequence[str], first: int, last: int) -> dict[str, npt.NDArray[Any]]:
        """Read rows `first` .. `last` of the columns `names`; only the row groups that hold them are read."""
        if last <= first:
            return {name: np.empty(0) for name in names}
        begin = int(np.searchsorted(self._starts, first, side="right")) - 1
        end = int(np.searchsorted(self._starts, last, side="left"))
        try:
            table = self._file.read_row_groups(list(range(begin, end)), columns=list(names), use_threads=False)
            columns = {name: table.column(name).to_numpy() for name in names}
        except (pa.ArrowException, OSError, KeyError) as error:
            raise ValueError(_describe_error(error)) from error
        start = first - int(self._starts[begin])
        return {name: column[start : start + last - first] for name, column in columns.items()}

    def close(self) -> None:
        self._file.close()


def csv_lines(columns: Sequence[npt.NDArray[Any]]) -> bytes:
    """Return rows of numbers as CSV without a header; NaN stays empty."""
    csv: Any = import_module("pyarrow.csv")
    arrays = [pa.array(column, from_pandas=True) for column in columns]  # from_pandas: NaN becomes null
    sink = pa.BufferOutputStream()
    options = csv.WriteOptions(include_header=False)
    csv.write_csv(pa.table(arrays, names=[str(number) for number in range(len(arrays))]), sink, options)
    return sink.getvalue().to_pybytes()
