"""The search for rows that nodes keep and the database lacks: in a thread of its own, so that no commit waits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.errors import StoreFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future

    from edge_bridge.fleet.resend_plan import ResendPlan
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

    def update(self, plan: ResendPlan, now_s: float, *, may_start: bool) -> list[tuple[str, str]]:
        """Return the nodes to ask and the texts of the requests; search for those that are due, if that is allowed."""
        requests = [
            (found.node, text)
            for found in self._take()
            if plan.is_awaited(found.node, found.kept)  # else a newer birth says something else
            for text in plan.note_missing(found.node, found.missing, now_s)
        ]
        if may_start and self._running is None and (due := plan.due_checks(now_s)):
            self._running = self._executor.submit(self._search, due)
        return requests

    def _take(self) -> list[Searched]:
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
