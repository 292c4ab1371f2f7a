"""The snapshot ring: one writer, any number of readers in other processes, over a memory-mapped file.

Rows are kept twice. The history is channel-major, so a plot reads one contiguous line; the newest few rows are kept
whole after the header, so the guard reads one row from one place. Row `i` is in slot `i % slots` and counts once the
header's count exceeds `i`. A reader copies, then reads the count again: a row is whole if fewer than `slots` rows were
counted since it began. Readers write nothing, so they can never block the writer. A replay that jumps back starts a
new epoch: the count begins at 0 again, and a reader of the old epoch drops what it has.
"""

from __future__ import annotations

import json
import mmap
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, Self, TypeVar

import numpy as np

from drivers import ring_files
from drivers.errors import BenchError
from drivers.table_json import table_from, table_rows

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from drivers.snapshot import Bytes, ChannelTable, Columns, Floats

Scalar = TypeVar("Scalar", bound=np.generic)

MAGIC: Final = ring_files.MAGIC + b"1"
CAPACITY: Final = 8192
NEWEST: Final = 8  # whole rows after the header
_HEAD: Final = struct.Struct("<8sIIII")  # magic, bytes of JSON, channels, measured, capacity
_COUNT_AT: Final = 64  # count and epoch, in a cache line of their own
_JSON_AT: Final = 128
_LINE: Final = 8  # float64 in a cache line


@dataclass(frozen=True, slots=True)
class RingRow:
    """Row number `index`, taken at `t_s`: `values[C]`, and for the measured columns `sampled_s[M]`, `quality[M]`."""

    index: int
    t_s: float
    values: Floats
    sampled_s: Floats
    quality: Bytes


@dataclass(frozen=True, slots=True)
class RingBlock:
    """Rows `first` .. `first + k`: `t_s[k]`, `values[C,k]`, `sampled_s[M,k]`, `quality[M,k]`; `lost`: overwritten."""

    epoch: int
    first: int
    lost: int
    t_s: Floats
    values: Floats
    sampled_s: Floats
    quality: Bytes

    @property
    def following(self) -> int:
        """The next argument of `since`."""
        return self.first + len(self.t_s)


class _Layout:
    """Views of the mapped file; the writer's and the readers' are the same."""

    def __init__(self, buffer: mmap.mmap, json_bytes: int, channels: int, measured: int, capacity: int) -> None:
        self.state: npt.NDArray[np.int64] = np.frombuffer(buffer, np.int64, 2, _COUNT_AT)  # count, epoch
        at = _offsets(json_bytes, channels, measured, capacity)
        line = _padded(capacity)
        width = 1 + channels + measured
        self.newest = np.frombuffer(buffer, np.float64, NEWEST * width, at[0]).reshape(NEWEST, width)
        self.newest_quality = np.frombuffer(buffer, np.uint8, NEWEST * measured, at[1]).reshape(NEWEST, measured)
        lines = np.frombuffer(buffer, np.float64, width * line, at[2]).reshape(width, line)
        self.t_s: Floats = lines[0, :capacity]
        self.values: Floats = lines[1 : 1 + channels, :capacity]
        self.sampled_s: Floats = lines[1 + channels :, :capacity]
        quality = np.frombuffer(buffer, np.uint8, measured * line, at[3]).reshape(measured, line)
        self.quality: Bytes = quality[:, :capacity]


def _padded(capacity: int) -> int:
    # a power of two between lines would put one instant of all channels into one set of the cache
    return capacity + _LINE


def _offsets(json_bytes: int, channels: int, measured: int, capacity: int) -> tuple[int, int, int, int, int]:
    """Return where newest rows, their quality, the history and its quality begin, and the end of the file."""
    width, line = 1 + channels + measured, _padded(capacity)
    newest = -(-(_JSON_AT + json_bytes) // mmap.PAGESIZE) * mmap.PAGESIZE
    newest_quality = newest + 8 * NEWEST * width
    history = -(-(newest_quality + NEWEST * measured) // mmap.PAGESIZE) * mmap.PAGESIZE
    quality = history + 8 * width * line
    return newest, newest_quality, history, quality, quality + measured * line


class RingWriter:
    """The one writer of a ring, in the engine."""

    def __init__(self, path: Path, file: BinaryIO, buffer: mmap.mmap, layout: _Layout, measured: int) -> None:
        """Take the parts; call `create` to make a writer."""
        self.path = path
        self._file = file  # kept open while this writes
        self._buffer = buffer
        self._layout = layout
        self._count = 0
        self._capacity = len(layout.t_s)
        self._channels = layout.values.shape[0]
        self._measured = measured

    @classmethod
    def create(cls, path: Path, table: ChannelTable, measured: int, capacity: int = CAPACITY) -> Self:
        """Make the file for `table`, of which the first `measured` columns have a time and a quality of their own.

        Raise `FileExistsError`, and `BenchError` if there is no room for it.
        """
        if not (0 <= measured <= len(table) and capacity > NEWEST):
            raise ValueError(
                f"a ring of {len(table)} channels cannot have {measured} measured channels and {capacity} slots"
            )
        header = json.dumps({"channels": table_rows(table)}).encode()
        size = _offsets(len(header), len(table), measured, capacity)[-1]
        file = ring_files.create(path)
        ring_files.reserve(path, file, size)
        buffer = mmap.mmap(file.fileno(), size)
        layout = _Layout(buffer, len(header), len(table), measured, capacity)
        for lines in (layout.newest, layout.t_s, layout.values, layout.sampled_s):
            lines[:] = np.nan  # touches every page now, so that publishing never faults one in
        layout.quality[:] = 0
        buffer[_JSON_AT : _JSON_AT + len(header)] = header
        # last: from now on a reader accepts the file as a ring
        buffer[: _HEAD.size] = _HEAD.pack(MAGIC, len(header), len(table), measured, capacity)
        return cls(path, file, buffer, layout, measured)

    def publish(self, t_s: float, values: Floats, sampled_s: Floats, quality: Bytes) -> None:
        """Add one row: `values[C]`, `sampled_s[M]`, `quality[M]`."""
        layout, split = self._layout, 1 + self._channels
        slot, newest = self._count % self._capacity, self._count % NEWEST
        row = layout.newest[newest]
        row[0] = t_s
        row[1:split] = values
        row[split:] = sampled_s
        layout.newest_quality[newest] = quality
        layout.t_s[slot] = t_s
        layout.values[:, slot] = values
        layout.sampled_s[:, slot] = sampled_s
        layout.quality[:, slot] = quality
        self._count += 1
        layout.state[0] = self._count

    def restart(self) -> None:
        """Begin a new epoch with no rows, for a replay that jumps back."""
        self._count = 0
        self._layout.state[0] = 0  # before the epoch: a reader between the two sees no rows, never old ones as new
        self._layout.state[1] += 1

    @property
    def count(self) -> int:
        """Rows published so far."""
        return self._count

    def close(self) -> None:
        """Close the file; the owner of the session removes it."""
        if hasattr(self, "_layout"):
            del self._layout  # the views hold the map open
            self._buffer.close()
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class RingReader:
    """One reader of a ring; any process may open any number."""

    def __init__(self, buffer: mmap.mmap, layout: _Layout, table: ChannelTable, measured: int) -> None:
        """Take the parts; call `open` to make a reader."""
        self.table = table
        self.measured = measured
        self._buffer = buffer
        self._layout = layout
        self.capacity = len(layout.t_s)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Map the ring at `path`; raise `BenchError` if there is none, or none yet."""
        try:
            with path.open("rb") as file:
                buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise _no_ring(path, str(error)) from error
        try:
            _, json_bytes, channels, measured, capacity = _HEAD.unpack_from(buffer)
            if buffer[:8] != MAGIC or _offsets(json_bytes, channels, measured, capacity)[-1] != len(buffer):
                raise ValueError("it has no ring header")  # noqa: TRY301  # one place words all causes
            table = table_from(json.loads(buffer[_JSON_AT : _JSON_AT + json_bytes])["channels"])
        except (struct.error, ValueError, TypeError, KeyError) as error:
            buffer.close()
            raise _no_ring(path, str(error)) from error
        return cls(buffer, _Layout(buffer, json_bytes, channels, measured, capacity), table, measured)

    @property
    def count(self) -> int:
        """Rows published so far."""
        return int(self._layout.state[0])

    @property
    def epoch(self) -> int:
        """How often the writer has restarted."""
        return int(self._layout.state[1])

    def latest(self) -> RingRow | None:
        """Return the newest row, whole; None before the first."""
        layout, split = self._layout, 1 + len(self.table)
        while True:
            epoch, count = self.epoch, self.count
            if count == 0:
                return None
            index = count - 1
            row = layout.newest[index % NEWEST].copy()
            quality = layout.newest_quality[index % NEWEST].copy()
            if self.count - index < NEWEST and self.epoch == epoch:
                return RingRow(index, float(row[0]), row[1:split], row[split:], quality)

    def since(self, count: int) -> RingBlock:
        """Return rows from number `count` on; `RingBlock.lost` counts those overwritten before they could be read."""
        layout = self._layout
        while True:
            epoch, end = self.epoch, self.count
            first = min(max(count, self._oldest(end)), end)
            slots = self._slots(first, end)
            t_s, values = _pieces(layout.t_s, slots), _pieces(layout.values, slots)
            sampled_s, quality = _pieces(layout.sampled_s, slots), _pieces(layout.quality, slots)
            torn = self._torn(first, end)
            first += torn
            lost = max(first - max(count, 0), 0)
            if self.epoch == epoch:
                return RingBlock(
                    epoch, first, lost, t_s[torn:], values[:, torn:], sampled_s[:, torn:], quality[:, torn:]
                )

    def window(self, columns: Columns, newest: int) -> tuple[Floats, Floats]:
        """Return the `newest` rows (fewer if there are fewer) of `columns`: `t_s[k]`, `values[len(columns),k]`."""
        layout = self._layout
        while True:
            epoch, end = self.epoch, self.count
            first = max(end - max(newest, 0), self._oldest(end))
            slots = self._slots(first, end)
            t_s = _pieces(layout.t_s, slots)
            values = np.empty((len(columns), end - first))
            for line, column in zip(values, columns, strict=True):
                np.concatenate([layout.values[column, piece] for piece in slots], out=line)
            torn = self._torn(first, end)
            if self.epoch == epoch:
                return t_s[torn:], values[:, torn:]

    def close(self) -> None:
        """Unmap the ring; arrays returned before are copies and stay valid."""
        if hasattr(self, "_layout"):
            del self._layout  # the views hold the map open
            self._buffer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _oldest(self, count: int) -> int:
        """Return the oldest row that the writer cannot be overwriting while `count` rows are counted."""
        return max(count - self.capacity + 1, 0)

    def _torn(self, first: int, end: int) -> int:
        """Return how many of the rows `first` .. `end`, just copied, may have been overwritten meanwhile."""
        return min(max(self._oldest(self.count) - first, 0), end - first)

    def _slots(self, first: int, end: int) -> tuple[slice, slice]:
        """Return the slots of rows `first` .. `end`, in order, as the piece before and the piece after the wrap."""
        start, length = first % self.capacity, end - first
        before = min(length, self.capacity - start)
        return slice(start, start + before), slice(0, length - before)


def _pieces(lines: npt.NDArray[Scalar], slots: tuple[slice, slice]) -> npt.NDArray[Scalar]:
    return np.concatenate([lines[..., piece] for piece in slots], axis=-1)


def _no_ring(path: Path, reason: str) -> BenchError:
    return BenchError(f"is not a snapshot ring: {reason}", where=str(path), hint="start the session that owns it")
