"""Commits in a thread of its own, one batch at a time, so that messages are read while the database works."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.clock import monotonic
from drivers.errors import StoreFailed, StoreUnreachable
from edge_bridge.fleet.late_notes import LateNotes
from edge_bridge.fleet.store.records import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from concurrent.futures import Future

    from edge_bridge.fleet.store.port import FleetStore
    from edge_bridge.fleet.store.records import CommitResult

MAX_WAITING_ROWS: Final = 20_000  # rows that wait while a batch is committed
PAUSE_S: Final = 0.1  # between the starts of two commits: each costs as much as a hundred rows, however few it has
ENOUGH_ROWS: Final = 2_000  # that do not wait for the pause
TRY_AGAIN_S: Final = 0.5  # after a batch that was not accepted


@dataclass(frozen=True, slots=True)
class Committed:
    """A batch that is in the database."""

    batch: Batch
    result: CommitResult
    duration_s: float


class CommitThread:
    """The one user of a store: what `add` collects is committed as the next batch.

    A batch that the store does not accept is tried again with what came later. It loses its rows, which nobody
    acknowledged, if they may be the reason; else the first `MAX_WAITING_ROWS` stay, so that those who wait for their
    acknowledgement need not send them again.
    """

    def __init__(self, store: FleetStore) -> None:
        self._store = store
        self._waiting, self._late = Batch(), LateNotes()
        self._running: tuple[Batch, Future[tuple[CommitResult, float]]] | None = None
        self._executor = ThreadPoolExecutor(1, "fleet commit")
        self._started_s = self._failed_s = float("-inf")
        self.failures = 0  # batches that were not accepted
        self.trouble = ""  # why the last batch was not accepted

    @property
    def is_busy(self) -> bool:
        return self._running is not None

    @property
    def is_full(self) -> bool:
        """Return whether messages should wait until the batch is committed."""
        return self.is_busy and len(self._waiting.rows) >= MAX_WAITING_ROWS

    def add(self, batch: Batch) -> None:
        """Add what is to be committed."""
        self._waiting.add(batch)

    @property
    def due_s(self) -> float:
        """Return after how long what waits may be committed, in s; infinity if nothing waits."""
        if not self._waiting:
            return float("inf")
        if self.trouble:
            return max(0.0, self._failed_s + TRY_AGAIN_S - monotonic())
        if len(self._waiting.rows) >= ENOUGH_ROWS:
            return 0.0
        return max(0.0, self._started_s + PAUSE_S - monotonic())

    def start(self, *, at_once: bool = False) -> None:
        """Start to commit what waits, unless a batch is being committed or it is too early.

        With `at_once` it is never too early, and no note of a node waits.
        """
        if self._running is not None:
            return
        if at_once:
            self._late.add_all(self._waiting)
        if self._waiting and (at_once or self.due_s <= 0.0):
            self._started_s = monotonic()
            batch, self._waiting = self._waiting, Batch()
            if not at_once:
                self._late.choose(batch, self._started_s)
            self._running = batch, self._executor.submit(self._commit, batch)

    def finish(self, wait_s: float | None) -> Committed | None:
        """Wait up to `wait_s` (None: without end) for the batch; return it once it is committed, else None."""
        if self._running is None:
            return None
        batch, future = self._running
        if not wait([future], wait_s).done:
            return None
        self._running = None
        try:
            result, duration_s = future.result()
        except StoreFailed as error:
            self.failures += 1
            self.trouble, self._failed_s = f"rows cannot be stored: {error.what}", monotonic()
            if not isinstance(error, StoreUnreachable):
                batch.rows.clear()
            batch.add(self._waiting)
            del batch.rows[MAX_WAITING_ROWS:]
            self._waiting = batch
            return None
        self.trouble = ""
        return Committed(batch, result, duration_s)

    def _commit(self, batch: Batch) -> tuple[CommitResult, float]:
        began_s = monotonic()
        return self._store.commit(batch), monotonic() - began_s

    def drop_nodes(self, nodes: Collection[str]) -> None:
        """Drop what waits of these nodes."""
        self._waiting = self._waiting.drop_nodes(nodes)
        self._late.drop(nodes)

    def abandon(self, then: Callable[[], object]) -> None:
        """Drop what waits and return at once; `then` is called in the thread, after the batch that it commits."""
        self._waiting, self._running = Batch(), None
        self._executor.submit(then)
        self._executor.shutdown(wait=False)

    def close(self) -> None:
        """End the thread, after the batch that it commits."""
        self._executor.shutdown()
