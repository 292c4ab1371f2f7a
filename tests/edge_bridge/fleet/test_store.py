from __future__ import annotations

import sqlite3
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from drivers.errors import StoreFailed, Usage
from edge_bridge.fleet import summary
from edge_bridge.fleet.columns import COLUMNS
from edge_bridge.fleet.defects import RowDoublingStore, RowLosingStore
from edge_bridge.fleet.row import StoredRow
from edge_bridge.fleet.store.records import Batch, NodeRecord
from edge_bridge.fleet.store.sqlite_store import SqliteStore
from edge_bridge.ranges import subtract
from tests.edge_bridge.fleet.pack import BOOT, START_MS, Desk, Pack, asked

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from sqlalchemy import Connection

    from edge_bridge.fleet.summary import NodeSummary
    from edge_bridge.row_span import RowSpan

NOTHING = (None,) * len(COLUMNS)


def row(seq: int, boot: str = BOOT, gap: RowSpan | None = None, voltage_v: float = 80.0) -> StoredRow:
    return StoredRow(
        "pack-1", boot, seq, START_MS, historical=False, clock="", values=(1.0, voltage_v, *NOTHING[2:]), gap=gap
    )


def batch(*rows: StoredRow) -> Batch:
    return Batch(list(rows), notes={"pack-1": NodeRecord("pack-1", online=True, last_ms=START_MS, status={})})


@pytest.fixture
def store(tmp_path: Path) -> Generator[SqliteStore]:
    made = SqliteStore(tmp_path / "fleet.db")
    yield made
    made.close()


def only(store: SqliteStore) -> NodeSummary:
    (found,) = store.summary()
    return found


def test_the_newest_row_of_a_birth_is_missed_when_it_never_comes(desk: Desk) -> None:
    pack = Pack()
    desk.hear(pack.birth(Row_Boot=BOOT, Row_Seq=3), pack.row(1), pack.row(2))
    (summary,) = desk.store.summary()
    assert (summary.produced, summary.missing, summary.missing_rows) == (3, 1, (f"{BOOT}:3-3",))


def test_a_commit_that_fails_leaves_nothing_behind(store: SqliteStore) -> None:
    store.commit(batch(row(1)))
    ((pages,),) = asked(store, "PRAGMA page_count")
    asked(store, f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFailed, match="full"):
        store.commit(batch(*(row(seq) for seq in range(2, 2_000))))
    assert only(store).stored == store.read_totals().stored == 1
    asked(store, "PRAGMA max_page_count = 1000000")
    assert store.commit(batch(row(2))).new == 1


def test_a_row_that_is_stored_twice_is_found_by_counting(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "fleet.db", RowDoublingStore)
    pack = Pack()
    desk.hear(pack.birth(), pack.row(1), pack.row(2))
    desk.hear(pack.row(3))
    (summary,) = desk.store.summary()
    assert (summary.produced, summary.stored, summary.duplicates, summary.missing) == (3, 3, 1, 0)
    desk.close()


def test_a_store_without_a_key_refuses_a_file_that_exists(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "fleet.db").close()
    with pytest.raises(Usage, match="needs a new file"):
        RowDoublingStore(tmp_path / "fleet.db")


def test_a_row_that_is_lost_is_found_by_counting(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "fleet.db", RowLosingStore)
    pack = Pack()
    desk.hear(pack.birth(), pack.row(1), pack.row(2))
    desk.hear(pack.row(3))
    assert desk.acknowledged() == {BOOT: {1, 2, 3}}
    (summary,) = desk.store.summary()
    assert (summary.produced, summary.stored, summary.missing) == (3, 2, 1)
    desk.close()


def watch(store: SqliteStore, step: Callable[[], None]) -> None:
    """Call `step` for each step of SQLite's machine."""
    connection = store._engine.raw_connection()  # pyright: ignore[reportPrivateUsage]
    assert isinstance(connection.driver_connection, sqlite3.Connection)
    connection.driver_connection.set_progress_handler(step, 1)
    connection.close()


def test_a_commit_costs_no_more_for_all_the_boots_before_it(tmp_path: Path) -> None:
    def steps(boots: int) -> int:
        """Steps of SQLite's machine for one commit and its totals."""
        store = SqliteStore(tmp_path / f"{boots}.db")
        store.commit(batch(*(row(1, f"{number:x}") for number in range(boots))))
        count = [0]

        def step() -> None:
            count[0] += 1

        watch(store, step)
        store.commit(batch(row(1, "ff00ff")))
        assert (store.read_totals().stored, store.count_rows()["pack-1"]) == (boots + 1, boots + 1)
        store.close()
        return count[0]

    assert steps(2_000) < 1.5 * steps(20)


def test_a_summary_looks_at_each_boot_once_and_not_once_for_each_node(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = [0]

    class Counted(defaultdict[Any, Any]):
        def __iter__(self) -> Any:
            looked[0] += 1
            return super().__iter__()

    read = summary._read_by_boot  # pyright: ignore[reportPrivateUsage]

    def counted(connection: Connection, select: str) -> Counted:
        return Counted(list, read(connection, select))

    monkeypatch.setattr(summary, "_read_by_boot", counted)
    store.commit(Batch([replace(row(1), node=f"pack-{number}") for number in range(50)]))
    assert [(one.stored, one.missing) for one in store.summary()] == [(1, 0)] * 50
    assert looked[0] <= 3


def test_missing_rows_between_many_islands_are_found_in_one_pass() -> None:
    class Bound(int):
        compared = 0

        def __lt__(self, other: int) -> bool:
            Bound.compared += 1
            return int(self) < other

        def __le__(self, other: int) -> bool:
            Bound.compared += 1
            return int(self) <= other

        def __gt__(self, other: int) -> bool:
            Bound.compared += 1
            return int(self) > other

    whole = [(Bound(10 * n), Bound(10 * n + 7)) for n in range(1_000)]
    taken = [(Bound(10 * n + 2), Bound(10 * n + 3)) for n in range(1_000)]
    assert len(subtract(whole, taken)) == 2_000
    assert Bound.compared < 40_000
