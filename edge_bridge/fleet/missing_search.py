"""The search for rows that nodes keep and the database lacks: in a thread of its own, so that no commit waits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.errors import StoreFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from concurrent.futures import Future

    from edge_bridge.fleet.store.port import FleetStore
    from edge_bridge.ranges import Range
    from edge_bridge.sparkplug.acks import Acks


@dataclass(frozen=True, slots=True)
class Searched:
    """What the database lacks of the rows that a node keeps."""

    node: str
    kept: Acks
    missing: Mapping[str, Sequence[Range]]


class MissingSearch:
    """One search at a time."""

    def __init__(self, store: FleetStore) -> None:
        self._store = store
        self._executor = ThreadPoolExecutor(1, "fleet search")
        self._running: Future[list[Searched]] | None = None
        self.trouble = ""  # why the last search failed

    @property
    def is_busy(self) -> bool:
        """Return whether a search runs, or has ended and was not taken."""
        return self._running is not None

    def start(self, checks: Iterable[tuple[str, Acks]]) -> None:
        """Start to search for what these nodes keep, unless there is none."""
        if asked := list(checks):
            self._running = self._executor.submit(self._search, asked)

    def take(self) -> list[Searched]:
        """Return what was found by a search that has ended since the last call; of one that failed nothing."""
        if self._running is None or not self._running.done():
            return []
        ended, self._running = self._running, None
        try:
            found = ended.result()
        except StoreFailed as error:
            self.trouble = f"rows cannot be looked for: {error.what}"
            return []
        self.trouble = ""
        return found

    def close(self) -> None:
        """End the thread, after the search that runs."""
        self._executor.shutdown(cancel_futures=True)

    def _search(self, asked: list[tuple[str, Acks]]) -> list[Searched]:
        return [Searched(node, kept, self._store.find_missing(node, kept)) for node, kept in asked]
