"""What becomes of a batch that the database did not accept."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

from drivers.errors import StoreFailed, StoreUnreachable
from edge_bridge.fleet import commit_thread
from edge_bridge.fleet.commit_thread import CommitThread
from edge_bridge.fleet.store.records import Batch, CommitResult
from tests.edge_bridge.fleet.test_store import row

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest


class StubStore:
    """A store that fails as it was told, then accepts all."""

    def __init__(self, failures: Iterable[StoreFailed]) -> None:
        self.failures, self.asked = list(failures), list[list[int]]()

    def commit(self, batch: Batch) -> CommitResult:
        self.asked.append([one.seq for one in batch.rows])
        if self.failures:
            raise self.failures.pop(0)
        return CommitResult(len(batch.rows), 0, 0, {})


def commit(thread: CommitThread, *seqs: int) -> bool:
    """Commit these rows with what waits; return whether they were accepted."""
    thread.add(Batch([row(seq) for seq in seqs]))
    thread.start(at_once=True)
    return thread.finish(None) is not None


def open_thread(store: StubStore) -> Any:
    return closing(CommitThread(cast("Any", store)))


def test_rows_wait_while_the_database_cannot_be_reached() -> None:
    store = StubStore([StoreUnreachable("gone"), StoreUnreachable("still gone")])
    with open_thread(store) as thread:
        assert [commit(thread, 1, 2), commit(thread, 3), commit(thread, 4)] == [False, False, True]
        assert store.asked == [[1, 2], [1, 2, 3], [1, 2, 3, 4]]
        assert (thread.failures, thread.trouble) == (2, "")


def test_of_very_many_rows_the_first_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit_thread, "MAX_WAITING_ROWS", 3)
    store = StubStore([StoreUnreachable("gone")])
    with open_thread(store) as thread:
        assert [commit(thread, 1, 2, 3, 4), commit(thread, 9)] == [False, True]
        assert store.asked[-1] == [1, 2, 3, 9]


def test_rows_that_may_be_the_reason_do_not_come_again() -> None:
    store = StubStore([StoreFailed("a row that no database takes")])
    with open_thread(store) as thread:
        assert [commit(thread, 1, 2), commit(thread, 3)] == [False, True]
        assert store.asked == [[1, 2], [3]]


def test_after_a_failure_it_is_tried_again_after_a_while() -> None:
    with open_thread(StubStore([StoreUnreachable("gone")])) as thread:
        assert not commit(thread, 1)
        assert 0.0 < thread.due_s <= commit_thread.TRY_AGAIN_S
        thread.start()
        assert not thread.is_busy
