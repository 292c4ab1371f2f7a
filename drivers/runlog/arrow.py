"""The one door to pyarrow: rows to a stream of messages and back, and columns to Parquet and back.

While recording a row stays whole (`t_s`, and lists of values, sample times and qualities): a batch is then four
arrays, so the writer thread takes the interpreter from the loop for well under a millisecond. Sealed, every channel
is a column of its own, and those of measured channels have `NAME@t` and `NAME@q` beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from drivers.snapshot import Bytes, Floats

pa: Final[Any] = import_module("pyarrow")  # it brings no types; Any stops here
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
        """No rows, of a shape."""
        return cls(np.empty(0), np.empty((0, channels)), np.empty((0, measured)), np.empty((0, measured), np.uint8))

    @classmethod
    def joined(cls, parts: Sequence[RowBatch]) -> Self:
        """Several behind each other."""
        return cls(
            np.concatenate([part.t_s for part in parts]),
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.sampled_s for part in parts]),
            np.concatenate([part.quality for part in parts]),
        )


class _Caught:
    """A file that keeps what was written since it was last asked."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None: ...

    def taken(self) -> bytes:
        """The bytes since the last call."""
        whole, self._parts = b"".join(self._parts), []
        return whole


class StreamEncoder:
    """Turns rows into the bytes of an Arrow stream: `opening` once, then one message per batch."""

    def __init__(self, channels: int, measured: int) -> None:
        self._caught = _Caught()
        lists = [(name, pa.list_(kind, width)) for name, kind, width in _lists(channels, measured)]
        self._schema = pa.schema([(TIME, pa.float64()), *lists])
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        self._writer = pa.ipc.new_stream(pa.PythonFile(self._caught, mode="w"), self._schema, options=options)
        self.opening = self.message(RowBatch.none(channels, measured))  # Arrow writes the schema with the first batch

    def message(self, rows: RowBatch) -> bytes:
        """One batch, compressed."""
        lists = [(getattr(rows, field.name).reshape(-1), field.type) for field in list(self._schema)[1:]]
        arrays = [pa.FixedSizeListArray.from_arrays(_array(numbers), type=kind) for numbers, kind in lists]
        self._writer.write_batch(pa.record_batch([_array(rows.t_s), *arrays], schema=self._schema))
        return self._caught.taken()


def _lists(channels: int, measured: int) -> list[tuple[str, Any, int]]:
    """Name, type and width of the lists in a row; Arrow ends the process over a list of width 0, so none is made."""
    lists = [
        ("values", pa.float64(), channels),
        ("sampled_s", pa.float64(), measured),
        ("quality", pa.uint8(), measured),
    ]
    return [(name, kind, width) for name, kind, width in lists if width]


def _array(numbers: npt.NDArray[Any]) -> Any:
    """The same memory as an Arrow array; `pa.array` would import pandas first, 0.4 s in the middle of a run."""
    numbers = np.ascontiguousarray(numbers)
    kind = pa.uint8() if numbers.dtype == np.uint8 else pa.float64()
    return pa.Array.from_buffers(kind, len(numbers), [None, pa.py_buffer(numbers)])


def stream_rows(file: BinaryIO, channels: int, measured: int) -> Iterator[RowBatch]:
    """Batch after batch, up to the end or to where the stream breaks off; raises `ValueError` if it never begins."""
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
    return (str(error) or type(error).__name__).splitlines()[0]


def columns_of(rows: RowBatch, names: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """Column arrays by name, as they stand in a sealed run; `names` are those of the channels."""
    measured = names[: rows.sampled_s.shape[1]]
    values, sampled_s, quality = (np.ascontiguousarray(part.T) for part in (rows.values, rows.sampled_s, rows.quality))
    columns: dict[str, npt.NDArray[Any]] = {TIME: rows.t_s, **dict(zip(names, values, strict=True))}
    columns |= {name + SAMPLED: line for name, line in zip(measured, sampled_s, strict=True)}
    columns |= {name + QUALITY: line for name, line in zip(measured, quality, strict=True)}
    return columns


class ParquetSink:
    """Writes a Parquet file, one row group per `write`; the end of the context completes it."""

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
        """Write the footer, unless the file is given up; the file itself stays open."""
        try:
            if kind is None:
                self._writer.close()
        finally:
            self._writer.is_open = False  # or its destructor would write to a file that is closed by then


class ParquetColumns:
    """Reads some columns over some rows of a Parquet file; raises `ValueError` when it is not one."""

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
        """Rows `first` .. `last` of the columns `names`; only the row groups that hold them are touched."""
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
    """Rows of numbers as CSV without a header; what is not known stays empty."""
    csv: Any = import_module("pyarrow.csv")
    arrays = [pa.array(column, from_pandas=True) for column in columns]  # from_pandas: NaN becomes null
    sink = pa.BufferOutputStream()
    options = csv.WriteOptions(include_header=False)
    csv.write_csv(pa.table(arrays, names=[str(number) for number in range(len(arrays))]), sink, options)
    return sink.getvalue().to_pybytes()
