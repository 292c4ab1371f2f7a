"""Recorder of every tick of a session: the loop only copies into a ring in memory, a separate thread does the rest."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from drivers.clock import monotonic
from drivers.errors import RunLogError
from drivers.event import Event, Level
from drivers.realtime import ENGINE_THREADS, ask_realtime
from drivers.runlog import folder as run_folder
from drivers.runlog.append_file import AppendFile
from drivers.runlog.arrow import RowBatch, StreamEncoder
from drivers.runlog.events import event_line
from drivers.runlog.row_counter import RowCounter
from drivers.runlog.seal import seal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drivers.event import EventRecord
    from drivers.snapshot import Bytes, ChannelTable, Floats

RECORDER: Final = "recorder"
FLUSH_S: Final = 0.25
SYNC_S: Final = 0.5  # with FLUSH_S and the time of a sync, a power cut loses less than a second
WAITING_ROWS: Final = 2048  # 20 s at 100 Hz: how long a disk may stall before rows are lost


class Recorder:
    """One run being recorded. `put` and `event` belong to one thread and never block or raise."""

    def __init__(self, folder: Path, about: run_folder.RunInfo, ticks: AppendFile, events: AppendFile) -> None:
        """`create` makes one."""
        self.folder = folder
        self._about = about
        channels, measured = len(about.channels), about.measured
        self._split = 1 + channels
        self._floats = np.full((WAITING_ROWS, 1 + channels + measured), np.nan)  # allocates its pages now
        self._quality = np.zeros((WAITING_ROWS, measured), np.uint8)
        self._put = 0  # rows taken from the loop; only the loop writes it
        self._encoded = 0  # rows encoded to messages; only the thread writes this and the next
        self._written = 0  # rows on disk
        self._lost = 0
        self._encoder = StreamEncoder(channels, measured)
        self._ticks, self._events = ticks, events
        self._counter = RowCounter(folder)
        self._synced_s = monotonic()
        self._message = self._encoder.opening  # bytes of the stream not yet on disk
        self._deliver()  # so that a run killed at once can be opened too
        self._event_lines: deque[bytes] = deque()
        self._failure: tuple[Path, str] | None = None
        self._reported = False
        self._wake, self._ending = threading.Event(), False
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
        self._thread.start()

    @classmethod
    def create(cls, folder: Path, table: ChannelTable, meta: dict[str, Any], measured: int) -> Self:
        """Begin a run in `folder`; raise `RunLogError` if it holds one or cannot be written.

        The first `measured` channels of `table` have a sample time and a quality.
        """
        about = run_folder.begin(folder, table, measured, meta)
        try:
            return cls(folder, about, AppendFile(folder / run_folder.STREAM), AppendFile(folder / run_folder.EVENTS))
        except OSError as error:
            hint = "name a folder that can be written"
            raise RunLogError(f"cannot be written: {error.strerror}", where=str(folder), hint=hint) from error

    def put(self, t_s: float, values: Floats, sampled_s: Floats, quality: Bytes) -> None:
        """Record one tick: `values[C]`, `sampled_s[M]`, `quality[M]`."""
        if self._put - self._encoded >= WAITING_ROWS:
            self._lost += 1
            self._counter.store(self._put + self._lost)
            return
        slot, split = self._put % WAITING_ROWS, self._split
        row = self._floats[slot]
        row[0] = t_s
        row[1:split] = values
        row[split:] = sampled_s
        self._quality[slot] = quality
        self._put += 1
        self._counter.store(self._put + self._lost)

    def event(self, record: EventRecord) -> None:
        """Record an event; it is on disk as soon as the thread runs."""
        self._event_lines.append(event_line(record))
        self._wake.set()

    def amend(self, meta: dict[str, Any]) -> None:
        """Replace entries of the run's `meta`; raise `OSError` if `run.json` cannot be written."""
        self._about = replace(self._about, meta=self._about.meta | meta)
        run_folder.store(self.folder, self._about)

    @property
    def ticks(self) -> int:
        """Rows received so far."""
        return self._put

    @property
    def written(self) -> int:
        """Rows on disk so far."""
        return self._written

    @property
    def lost(self) -> int:
        """Rows lost because the ring was full while the disk accepted nothing."""
        return self._lost

    @property
    def trouble(self) -> str:
        """A sentence while the disk accepts nothing, else empty."""
        if self._failure is None:
            return ""
        path, reason = self._failure
        waiting = self._put - self._written
        held = f"{waiting} rows wait in memory, which holds {WAITING_ROWS}, {self._lost} are lost"
        return f"{path} cannot be written: {reason}; {held}; free space there"

    def news(self) -> list[Event]:
        """Return an event when the disk stops accepting rows and when it accepts them again; each once.

        Called by one thread.
        """
        trouble, before = self.trouble, self._reported
        self._reported = bool(trouble)
        if trouble and not before:
            return [Event(Level.ALARM, RECORDER, trouble)]
        if before and not trouble:
            return [Event(Level.WARNING, RECORDER, f"the disk accepts rows again; {self._lost} rows are lost")]
        return []

    def close(self, progress: Callable[[float], object] = float) -> run_folder.RunInfo:
        """Write the rest and seal the run; if the disk is full, raise `RunLogError` and leave the run open."""
        self._ending = True
        self._wake.set()
        self._thread.join()
        for file in (self._ticks, self._events, self._counter):
            file.close()
        if self._failure is not None:
            path, reason = self._failure
            short = self._put - self._written
            with suppress(OSError):  # a disk that accepts no rows may still accept this
                run_folder.store(self.folder, replace(self._about, lost=self._lost + short))
            what = f"lacks its last {short} rows: {reason}"
            raise RunLogError(what, where=str(path), hint="free space there; the run opens without them")
        return seal(self.folder, self._about, lost=self._lost, recovered=False, progress=progress)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _work(self) -> None:
        ask_realtime(ENGINE_THREADS)
        while not self._ending:
            self._wake.wait(FLUSH_S)
            self._wake.clear()
            self._flush()
        self._flush()

    def _flush(self) -> None:
        """Write everything outstanding to disk, or report why not; the same bytes are tried again later."""
        target = self._events
        try:
            while self._event_lines:
                target.append(self._event_lines[0])
                self._event_lines.popleft()
            target = self._ticks
            self._deliver()
            while self._put > self._encoded:
                self._encode()
                self._deliver()
            self._sync()
        except Exception as error:  # noqa: BLE001  # any error must become a sentence and not end the thread
            self._failure = (target.path, getattr(error, "strerror", None) or str(error))
        else:
            self._failure = None

    def _sync(self) -> None:
        if monotonic() - self._synced_s < SYNC_S:
            return
        for file in (self._ticks, self._events, self._counter):
            file.sync()
        self._synced_s = monotonic()

    def _encode(self) -> None:
        """Encode the outstanding rows, up to the end of the ring's array, as the next message."""
        first = self._encoded % WAITING_ROWS
        last = min(first + self._put - self._encoded, WAITING_ROWS)
        floats = self._floats[first:last]
        rows = RowBatch(
            floats[:, 0].copy(), floats[:, 1 : self._split], floats[:, self._split :], self._quality[first:last]
        )
        self._message = self._encoder.message(rows)
        self._encoded += last - first

    def _deliver(self) -> None:
        if self._message:
            self._ticks.append(self._message)
            self._message, self._written = b"", self._encoded
