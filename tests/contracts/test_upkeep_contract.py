"""What upkeep promises on either database: roll-ups that are right, an archive that loses and doubles nothing."""

from __future__ import annotations

import errno
import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from drivers.errors import StoreFailed, Usage
from edge_bridge.fleet.store import archive_file
from edge_bridge.fleet.store.archive_file import pq
from edge_bridge.fleet.store.audit_chain import AuditNote
from edge_bridge.fleet.store.history import History
from edge_bridge.fleet.store.open_store import open_store
from edge_bridge.fleet.store.records import Batch
from edge_bridge.fleet.store.tables import DAY_MS
from edge_bridge.fleet.store.upkeep import Retention
from edge_bridge.row_span import RowSpan
from tests.contracts.test_store_contract import BOOT, only
from tests.contracts.upkeep_cases import LATER_MS, START_MS, all_keys, archived_keys, at, keep, read_minutes
from tests.edge_bridge.fleet.pack import asked

if TYPE_CHECKING:
    from edge_bridge.fleet.store.port import FleetStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def test_rows_are_rolled_up_by_minute_and_hour(store: FleetStore, where: str) -> None:
    rows = [at(seq, START_MS + 1000 * seq) for seq in range(120)]
    store.commit(Batch([*rows, replace(at(500, START_MS + 5), clock="past")]))
    assert keep(where).hours == 1
    assert read_minutes(store) == {
        ("pack-1", START_MS): (60, 0.0, 1770.0, 59.0),
        ("pack-1", START_MS + 60_000): (60, 60.0, 5370.0, 119.0),
    }
    assert asked(store, "SELECT count, voltage_v_n, voltage_v_sum, soc_n FROM hour") == [(120, 120, 7140.0, 0)]
    assert keep(where).hours == 0


def test_a_late_row_corrects_the_roll_up_of_its_minute(store: FleetStore, where: str) -> None:
    store.commit(Batch([at(1, START_MS), at(9, START_MS + 9)]))
    keep(where)
    store.commit(Batch([at(5, START_MS + 5), at(1, START_MS)]))
    keep(where)
    assert read_minutes(store) == {("pack-1", START_MS): (3, 1.0, 15.0, 9.0)}
    assert asked(store, "SELECT count FROM hour") == [(3,)]


def test_an_hour_that_lasts_is_left_alone_and_its_mark_is_kept(store: FleetStore, where: str) -> None:
    store.commit(Batch([at(1, START_MS)]))
    assert keep(where, now_ms=START_MS + 3_600_000).hours == 0
    assert keep(where, now_ms=START_MS + 3_600_000 + 600_000).hours == 1


def test_an_old_day_moves_to_a_file_and_its_rows_still_count(store: FleetStore, where: str, folder: Path) -> None:
    store.commit(Batch([at(1, START_MS), at(2, START_MS + 1), at(5, START_MS + 2, gap=RowSpan(BOOT, 4, 4))]))
    store.commit(Batch([at(6, LATER_MS)]))
    before = only(store)
    done = keep(where, folder)
    assert (done.days, done.rows, done.postponed) == (1, 3, [])
    assert asked(store, "SELECT seq FROM row") == [(6,)]
    assert only(store) == before
    assert (store.read_totals().stored, store.read_totals().missing) == (4, 1)
    with closing(pq.ParquetFile(done.files[0])) as file:
        assert file.schema_arrow.metadata[b"pulsebms_rows"] == b"1"
        assert file.read().column("gap_first").to_pylist() == [None, None, 4]
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert keep(where, folder).days == 0
    store.close()
    with closing(open_store(where)) as again:
        assert again.read_totals().stored == 4


def test_an_archived_row_that_comes_again_is_acknowledged_and_not_stored(
    store: FleetStore, where: str, folder: Path
) -> None:
    store.commit(Batch([at(seq, START_MS + seq) for seq in range(1, 10)]))
    keep(where, folder)
    again = store.commit(Batch([at(3, START_MS + 3), at(4, LATER_MS), at(10, LATER_MS)]))
    assert (again.new, again.duplicates, again.conflicts) == (1, 2, 0)
    assert again.kept == {"pack-1": {BOOT: [3, 4, 10]}}
    assert (only(store).stored, only(store).duplicates) == (10, 0)
    assert all_keys(store, folder) == [("pack-1", BOOT, seq) for seq in range(1, 11)]


def test_archived_rows_are_not_asked_for_again(store: FleetStore, where: str, folder: Path) -> None:
    store.commit(Batch([at(seq, START_MS + seq) for seq in (1, 2, 3, 6)]))
    keep(where, folder)
    store.commit(Batch([at(9, LATER_MS)]))
    assert asked(store, "SELECT seq FROM row") == [(9,)]
    assert store.find_missing("pack-1", {BOOT: [(1, 9)]}) == {BOOT: [(4, 5), (7, 8)]}
    assert store.find_missing("pack-1", {BOOT: [(2, 3)], "0b": [(1, 1)]}) == {"0b": [(1, 1)]}


def test_a_late_row_of_an_archived_day_makes_a_second_file(store: FleetStore, where: str, folder: Path) -> None:
    store.commit(Batch([at(seq, START_MS + seq) for seq in (1, 2, 4)]))
    keep(where, folder)
    assert store.commit(Batch([at(3, START_MS + 3), at(2, START_MS + 2)])).new == 1
    assert (only(store).stored, only(store).missing) == (4, 0)
    with closing(History(where)) as history:
        for points in (1, 3):
            found = history.read("pack-1", ["voltage_v"], START_MS, START_MS + 180_000, points).columns["voltage_v"]
            assert (found.count.sum(), np.nanmax(found.high)) == (4, 4.0)
    done = keep(where, folder)
    assert (done.days, done.rows) == (1, 1)
    assert done.files[0].split("-")[-2] == "2"
    assert read_minutes(store) == {("pack-1", START_MS): (4, 1.0, 10.0, 4.0)}
    assert asked(store, "SELECT count, voltage_v_sum FROM hour") == [(4, 10.0)]
    assert len(archived_keys(folder)) == len(set(archived_keys(folder))) == 4
    assert asked(store, "SELECT first, last FROM archived_span") == [(1, 4)]


def test_a_gap_over_archived_rows_names_only_the_others(store: FleetStore, where: str, folder: Path) -> None:
    store.commit(Batch([at(seq, START_MS + seq) for seq in (1, 2, 5)]))
    keep(where, folder)
    store.commit(Batch([at(8, LATER_MS, gap=RowSpan(BOOT, 1, 7))]))
    assert (only(store).stored, only(store).named, only(store).missing) == (4, 4, 0)
    assert store.read_totals().named == 4


def test_rows_with_a_time_before_2020_stay(store: FleetStore, where: str, folder: Path) -> None:
    store.commit(Batch([replace(at(1, 5), clock="past")]))
    assert keep(where, folder).days == 0
    assert only(store).stored == 1


def test_a_history_is_the_same_before_and_after_upkeep(store: FleetStore, where: str, folder: Path) -> None:
    rows = [at(seq, START_MS + 30_000 * seq) for seq in range(1, 400)]
    store.commit(Batch(rows))
    spans = [(START_MS + 7_000, START_MS + 9_000_000, points) for points in (5, 50, 1000)]
    with closing(History(where)) as history:

        def read() -> list[Any]:
            found = [history.read("pack-1", ["voltage_v", "current_a", "soc"], *span) for span in spans]
            return [
                (
                    list(one.t_ms),
                    one.step_ms,
                    [
                        [list(map(float, part)) for part in (c.low, c.mean, c.high, c.count)]
                        for c in one.columns.values()
                    ],
                )
                for one in found
            ]

        before = read()
        keep(where)
        rolled = read()
        keep(where, folder)
        np.testing.assert_equal(rolled, before)
        np.testing.assert_equal(read(), before)


def test_a_missing_file_is_named_and_only_asked_for_when_it_is_needed(
    store: FleetStore, where: str, folder: Path
) -> None:
    store.commit(Batch([at(1, START_MS)]))
    (path,) = keep(where, folder).files
    Path(path).unlink()
    with closing(History(where)) as history:
        assert len(history.read("pack-1", ["soc"], START_MS, START_MS + DAY_MS, 24).t_ms) == 1
        with pytest.raises(StoreFailed, match="is missing in the archive"):
            history.read("pack-1", ["soc"], START_MS, START_MS + 60_000, 60)


def test_a_full_disk_drops_nothing(
    store: FleetStore, where: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.commit(Batch([at(1, START_MS)]))

    def fail(_number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("edge_bridge.fleet.store.archive_file.os.fsync", fail)
        with pytest.raises(StoreFailed, match="cannot be written: No space left on device; nothing was dropped"):
            keep(where, folder)
    assert (only(store).stored, list(folder.iterdir()), asked(store, "SELECT * FROM archived_day")) == (1, [], [])
    assert keep(where, folder).rows == 1


def test_a_disk_that_keeps_something_else_drops_nothing(
    store: FleetStore, where: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.commit(Batch([at(1, START_MS), at(2, START_MS)]))
    written = archive_file.write_rows

    def spoil(part: Path, schema: Any, batches: Any) -> tuple[int, str]:
        return written(part, schema, [[(*one[:9], one[9] + 1e-9, *one[10:]) for one in batch] for batch in batches])[
            0
        ], "no"

    monkeypatch.setattr(archive_file, "write_rows", spoil)
    with pytest.raises(StoreFailed, match="did not keep what was written"):
        keep(where, folder)
    assert asked(store, "SELECT count(*) FROM row") == [(2,)]


def test_a_row_that_comes_while_its_day_is_written_is_not_dropped(store: FleetStore, where: str, folder: Path) -> None:
    store.commit(Batch([at(1, START_MS)]))
    late = [at(seq, START_MS + seq) for seq in (2, 3)]

    def arrive(step: str) -> None:
        if step == "written" and late:
            store.commit(Batch([late.pop()]))

    keep(where, folder, step=arrive)
    assert not late
    assert all_keys(store, folder) == [("pack-1", BOOT, seq) for seq in (1, 2, 3)]
    assert read_minutes(store) == {("pack-1", START_MS): (3, 1.0, 6.0, 3.0)}


def store_two_packs(store: FleetStore, where: str, folder: Path) -> None:
    """Store two days of two packs and archive them; on the second day only one of them sent."""
    rows = [at(seq, START_MS + seq) for seq in (1, 2, 3)]
    later = [replace(at(seq, START_MS + DAY_MS + seq), node="pack-2") for seq in (4, 5)]
    store.commit(Batch([*rows, *(replace(one, node="pack-2") for one in rows), *later]))
    keep(where, folder)


def test_a_node_is_forgotten_in_the_archive_too_and_the_audit_says_so(
    store: FleetStore, where: str, folder: Path
) -> None:
    store_two_packs(store, where, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(Usage, match="pack-1 has 3 rows, which would be deleted, 3 of them in the archive"):
        store.forget("pack-1", delete_rows=False)
    note = AuditNote(START_MS, "console anna", "node.forget", "node/pack-1")
    assert store.forget("pack-1", delete_rows=True, note=note) == 3
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert len(after.keys() & before.keys()) == 1, "the file without rows of the node is as it was"
    assert all(before[name] == after[name] for name in after.keys() & before.keys())
    kept = [("pack-2", BOOT, seq) for seq in (1, 2, 3, 4, 5)]
    assert archived_keys(folder) == all_keys(store, folder) == kept
    assert asked(store, "SELECT who, action, object FROM audit") == [("console anna", "node.forget", "node/pack-1")]
    assert asked(store, "SELECT sum(rows) FROM archived_day") == [(5,)]
    assert {node for node, _ in read_minutes(store)} == {"pack-2"}
    assert store.commit(Batch([replace(at(4, START_MS + DAY_MS + 4), node="pack-2")])).duplicates == 1
    assert store.commit(Batch([at(1, START_MS)])).new == 1, "a node that comes again is new"
    assert store.forget("pack-2", delete_rows=True) == 5
    assert archived_keys(folder) == []


@pytest.mark.parametrize("is_lost", [True, False])
def test_with_a_lost_or_changed_file_nothing_is_forgotten(
    store: FleetStore, where: str, folder: Path, *, is_lost: bool
) -> None:
    store_two_packs(store, where, folder)
    first = min(folder.iterdir())
    whole = first.read_bytes()
    first.unlink()
    if not is_lost:
        archive_file.write_archive(first, [], {})
    with pytest.raises(StoreFailed, match="cannot be read" if is_lost else "not the file that was recorded"):
        store.forget("pack-1", delete_rows=True)
    first.write_bytes(whole)
    assert len(all_keys(store, folder)) == 8
    assert store.forget("pack-1", delete_rows=True) == 3


def test_a_file_that_was_replaced_goes_although_the_program_ended_before(
    store: FleetStore, where: str, folder: Path
) -> None:
    store_two_packs(store, where, folder)
    old = {path.name: path.read_bytes() for path in folder.iterdir()}
    store.forget("pack-1", delete_rows=True)
    new = {path.name for path in folder.iterdir()}
    for name, data in old.items():
        (folder / name).write_bytes(data)
    (folder / "notes.parquet").write_bytes(b"somebody's own")
    with pytest.raises(Usage, match="no node pack-1 is known"):
        store.forget("pack-1", delete_rows=True)
    assert {path.name for path in folder.iterdir()} == new | {"notes.parquet"}


def test_upkeep_runs_once_at_a_time_and_no_node_is_forgotten_meanwhile(
    store: FleetStore, where: str, folder: Path
) -> None:
    store.commit(Batch([at(1, START_MS)]))
    refused = list[str]()

    def interfere(step: str) -> None:
        for attempt in (lambda: keep(where, folder), lambda: store.forget("pack-1", delete_rows=True)):
            with pytest.raises(Usage, match="upkeep of this database runs now") as error:
                attempt()
            refused.append(error.value.sentence)

    assert keep(where, folder, step=interfere).rows == 1
    assert len(refused) >= 2


@pytest.mark.parametrize(("raw", "rolled"), [(0, 400), (30, 7), (30, -1)])
def test_impossible_days_are_refused(raw: int, rolled: int) -> None:
    with pytest.raises(Usage):
        Retention(raw_days=raw, rollup_days=rolled)


def test_old_roll_ups_are_dropped(store: FleetStore, where: str) -> None:
    store.commit(Batch([at(1, START_MS), at(2, LATER_MS)]))
    keep(where, now_ms=START_MS + 2 * DAY_MS)
    assert len(read_minutes(store)) == 1
    keep(where, now_ms=START_MS + 401 * DAY_MS)
    assert [start for _, start in read_minutes(store)] == [LATER_MS]
