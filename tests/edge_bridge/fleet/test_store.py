from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.errors import StoreFailed, Usage
from edge_bridge.fleet import summary
from edge_bridge.fleet.columns import COLUMNS
from edge_bridge.fleet.defects import RowDoublingStore, RowLosingStore
from edge_bridge.fleet.row import StoredRow
from edge_bridge.fleet.store.records import Batch, NodeRecord
from edge_bridge.fleet.store.sqlite_store import SqliteStore
from edge_bridge.ranges import subtract
from edge_bridge.row_span import RowSpan
from tests.edge_bridge.fleet.pack import BOOT, START_MS, Desk, Pack, asked

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from random import Random

    from sqlalchemy import Connection

    from edge_bridge.fleet.summary import NodeSummary

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


def test_a_row_that_comes_again_is_stored_once_and_acknowledged_twice(store: SqliteStore) -> None:
    first, second = store.commit(batch(row(1), row(1))), store.commit(batch(row(1), row(2)))
    assert (first.new, first.duplicates, second.new, second.duplicates) == (1, 1, 1, 1)
    assert second.kept == {"pack-1": {BOOT: [1, 2]}}
    assert (only(store).produced, only(store).stored, only(store).duplicates, only(store).missing) == (2, 2, 0, 0)


def test_a_row_that_says_something_else_the_second_time_is_counted_and_changes_nothing(store: SqliteStore) -> None:
    store.commit(batch(row(1)))
    assert store.commit(batch(row(1, voltage_v=99.0))).conflicts == 1
    assert store.read_counts("refused") == {"conflict": 1}
    assert asked(store, "SELECT voltage_v FROM row") == [(80.0,)]


def test_a_row_that_comes_again_as_backlog_says_the_same(store: SqliteStore) -> None:
    store.commit(batch(row(1)))
    later = replace(row(1), historical=True, clock="future")
    assert store.commit(batch(later)).conflicts == 0


def test_rows_below_the_newest_that_nobody_explains_are_missing(store: SqliteStore) -> None:
    store.commit(batch(row(1), row(4), row(7)))
    assert (only(store).produced, only(store).missing) == (7, 4)
    assert only(store).missing_rows == (f"{BOOT}:2-3", f"{BOOT}:5-6")


def test_rows_that_a_gap_names_are_not_missing(store: SqliteStore) -> None:
    store.commit(batch(row(1), row(6, gap=RowSpan(BOOT, 2, 5))))
    assert (only(store).produced, only(store).stored, only(store).named, only(store).missing) == (6, 2, 4, 0)


def test_a_gap_tells_that_rows_of_an_earlier_boot_were_produced(store: SqliteStore) -> None:
    store.commit(batch(row(1, "0a", gap=RowSpan("0b", 1, 30))))
    assert (only(store).produced, only(store).stored, only(store).named) == (31, 1, 30)


def test_a_row_that_was_stored_before_a_gap_named_it_is_stored(store: SqliteStore) -> None:
    store.commit(batch(row(1), row(2), row(6, gap=RowSpan(BOOT, 2, 5))))
    assert (only(store).stored, only(store).named, only(store).missing) == (3, 3, 0)


def test_the_newest_row_of_a_birth_is_missed_when_it_never_comes(desk: Desk) -> None:
    pack = Pack()
    desk.hear(pack.birth(Row_Boot=BOOT, Row_Seq=3), pack.row(1), pack.row(2))
    (summary,) = desk.store.summary()
    assert (summary.produced, summary.missing, summary.missing_rows) == (3, 1, (f"{BOOT}:3-3",))


ROWS = st.lists(st.tuples(st.sampled_from(["0a", "0b"]), st.integers(1, 30)), max_size=40)
GAPS = st.lists(st.tuples(st.sampled_from(["0a", "0b"]), st.integers(1, 20), st.integers(0, 9)), max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(ROWS, GAPS, st.randoms(use_true_random=False))
def test_running_counts_and_tables_agree_in_any_order(
    tmp_path: Path, keys: list[tuple[str, int]], gaps: list[tuple[str, int, int]], random: Random
) -> None:
    """The independent count: sets of numbers in this test."""
    apart = list[tuple[str, int, int]]()
    for boot, first, length in gaps:  # an edge names each evicted row once
        if all(boot != other or first > last or first + length < begin for other, begin, last in apart):
            apart.append((boot, first, first + length))
    rows = [row(seq, boot) for boot, seq in keys]
    rows += [row(number, "0c", RowSpan(*gap)) for number, gap in enumerate(apart, 1)]
    random.shuffle(rows)
    path = tmp_path / "any.db"
    path.unlink(missing_ok=True)
    store = SqliteStore(path)
    try:
        for start in range(0, len(rows), 5):
            store.commit(batch(*rows[start : start + 5]))
        totals = store.read_totals()
        found = store.summary()
    finally:
        store.close()
    stored = {(one.boot, one.seq) for one in rows}
    named = {(boot, seq) for boot, first, last in apart for seq in range(first, last + 1)} - stored
    highest = dict[str, int]()
    for boot, seq in stored | named:
        highest[boot] = max(seq, highest.get(boot, 0))
    assert (totals.produced, totals.stored, totals.named) == (sum(highest.values()), len(stored), len(named))
    if found:
        (one,) = found
        assert (one.produced, one.stored, one.named) == (totals.produced, totals.stored, totals.named)
        assert one.missing == totals.missing == one.produced - one.stored - one.named


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


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from edge_bridge.fleet.store.sqlite_store import SqliteStore
from tests.edge_bridge.fleet.test_store import batch, row
store = SqliteStore(Path(sys.argv[1]))
for start in range(1, 1_000_000, 10):
    kept = store.commit(batch(*(row(seq) for seq in range(start, start + 10)))).kept["pack-1"]
    print(*(seq for seqs in kept.values() for seq in seqs), flush=True)
"""


def test_what_was_acknowledged_survives_sigkill(tmp_path: Path) -> None:
    path = tmp_path / "fleet.db"
    told = set[int]()
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        assert writer.stdout is not None
        for _ in range(20):
            told |= {int(seq) for seq in writer.stdout.readline().split()}
        os.kill(writer.pid, signal.SIGKILL)
        lines = writer.stdout.read().split("\n")
        told |= {int(seq) for line in lines[:-1] for seq in line.split()}
        writer.stdout.close()
        writer.wait()
        store = SqliteStore(path)
        there = {seq for (seq,) in asked(store, "SELECT seq FROM row")}
        assert len(told) >= 200
        assert told <= there
        assert only(store).duplicates == 0
        assert store.read_totals().stored == len(there)
        store.close()


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
