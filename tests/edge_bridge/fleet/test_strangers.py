"""What a stranger can fill at an open broker: sums, places for nodes, births and gaps; each has a bound."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from drivers.errors import Usage
from edge_bridge.fleet.host import MAX_NODES
from edge_bridge.fleet.node_list import read_node_list
from edge_bridge.fleet.places import IDLE_S
from edge_bridge.fleet.process import FleetHost
from edge_bridge.fleet.store.records import MAX_BIRTHS
from edge_bridge.fleet.store.row_counts import MAX_CLAIMED, MAX_CLAIMED_BOOTS
from edge_bridge.fleet.store.sqlite_store import SqliteStore
from tests.edge_bridge.fleet.pack import BOOT, START_MS, Desk, Pack, asked

if TYPE_CHECKING:
    from pathlib import Path

HUGE = 1 << 48
NOWHERE = "mqtt://127.0.0.1:9"


def filled(path: Path, count: int) -> None:
    """A file as the version before left it after `count` births that report `HUGE` rows."""
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as database:
        boots = [("pack-1", f"{number:x}", HUGE) for number in range(count)]
        database.executemany("INSERT INTO boot VALUES (?, ?, ?, 0, 0, NULL, NULL)", boots)
        database.execute("INSERT INTO node VALUES ('pack-1', 0, NULL, '{}', '')")
        database.commit()


def test_a_sum_that_no_database_can_hold_ends_no_fleet_at_its_start(tmp_path: Path) -> None:
    path = tmp_path / "fleet.db"
    filled(path, 33_000)
    with closing(FleetHost(NOWHERE, path, lambda: Desk.START)) as fleet:
        assert fleet.view().totals.produced == 33_000 * HUGE
        (node,) = fleet.summary()
        assert node.missing == 33_000 * HUGE


def test_births_that_report_huge_numbers_add_little_and_few(desk: Desk) -> None:
    for number in range(1, 3 * MAX_CLAIMED_BOOTS):
        desk.hear(Pack("n").birth(Row_Boot=f"{number:x}", Row_Seq=HUGE))
    assert desk.store.read_totals().produced == MAX_CLAIMED_BOOTS * MAX_CLAIMED
    assert asked(desk.store, "SELECT count(*) FROM birth") == [(MAX_BIRTHS,)]
    assert desk.store.summary()[0].produced == desk.store.read_totals().produced


def test_a_boot_may_grow_by_births_as_rows_come(desk: Desk) -> None:
    pack = Pack()
    for newest in (MAX_CLAIMED, 2 * MAX_CLAIMED):
        desk.hear(pack.birth(Row_Boot=BOOT, Row_Seq=newest))
    assert desk.store.read_totals().produced == 2 * MAX_CLAIMED


def test_a_birth_with_a_time_that_no_database_can_hold_is_stored_with_the_fleets(desk: Desk) -> None:
    desk.hear(Pack().birth(t_ms=(1 << 64) - 1))
    assert asked(desk.store, "SELECT t_ms FROM birth") == [(START_MS,)]


def test_gaps_that_name_the_same_rows_count_them_once(desk: Desk, pack: Pack) -> None:
    for number in range(1, 40):
        desk.hear(pack.gap(number, 1, HUGE, boot="0a"))
    desk.hear(pack.gap(40, 5, 9, boot="0a"), pack.gap(41, HUGE, HUGE, boot="0b"), pack.gap(42, 1, 9, boot="0b"))
    (summary,), totals = desk.store.summary(), desk.store.read_totals()
    assert totals.named == summary.named == HUGE + 10
    assert asked(desk.store, "SELECT count(*) FROM gap") == [(3,)]


def test_ten_thousand_invented_names_lock_out_no_pack(desk: Desk) -> None:
    old = Pack("old")
    desk.hear(old.birth(), old.row(1))
    desk.hear(*(Pack(f"n{number}").birth(Row_Boot=BOOT, Row_Seq=5) for number in range(MAX_NODES + 50)))
    assert len(desk.host.nodes) == MAX_NODES
    new = Pack("new")
    desk.hear(new.birth(), new.row(1), old.row(2))
    assert {"old", "new"} <= desk.host.nodes.keys()
    assert desk.refused == {}
    rows = desk.store.count_rows()
    assert {name: count for name, count in rows.items() if count} == {"old": 2, "new": 1}
    for table in ("node", "birth", "boot"):  # nothing stays of a name that lost its place
        ((kept,),) = asked(desk.store, f"SELECT count(DISTINCT node) FROM {table}")  # noqa: S608  # our own names
        assert kept <= MAX_NODES
    assert desk.store.read_totals().produced == 2 + 1 + 5 * (MAX_NODES - 2)


def test_a_node_that_lost_its_place_before_it_stored_a_row_gets_one_again(desk: Desk) -> None:
    slow = Pack("slow")
    desk.hear(slow.birth())
    desk.hear(*(Pack(f"n{number}").birth() for number in range(MAX_NODES)))
    assert "slow" not in desk.host.nodes
    desk.hear(slow.row(1))
    assert desk.rebirths() == 1
    desk.hear(slow.birth(), slow.row(1))
    assert desk.store.count_rows()["slow"] == 1


def test_a_pack_that_stores_rows_loses_its_place_only_after_an_hour(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_bridge.fleet.host.MAX_NODES", 2)
    small = Desk(desk.path.with_name("small.db"))
    first, second, third = Pack("first"), Pack("second"), Pack("third")
    small.hear(first.birth(), first.row(1))
    small.pass_s(1.0)
    small.hear(second.birth(), second.row(1))
    small.hear(third.birth())
    assert small.refused == {"too_many_nodes": 1}
    small.pass_s(IDLE_S - 1.0)
    small.hear(third.birth(), third.row(1))
    assert small.host.nodes.keys() == {"second", "third"}
    (gone, *_) = small.store.summary()
    assert (gone.node, gone.stored, gone.online) == ("first", 1, False)  # its rows stay
    small.close()


def test_only_listed_nodes_may_join(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "nodes.txt"
    path.write_text("# packs of hall 3\npack-1\n\n  pack-2  # the spare one\n", encoding="utf-8")
    assert read_node_list(path) == {"pack-1", "pack-2"}
    listed = Desk(tmp_path / "listed.db", admitted=read_node_list(path))
    stranger, pack = Pack("pack-3"), Pack("pack-2")
    listed.hear(stranger.birth(), stranger.row(1), pack.birth(), pack.row(1))
    assert (listed.refused, listed.host.nodes.keys()) == ({"not_listed": 2}, {"pack-2"})
    assert listed.rebirths() == 0
    listed.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"pack 1\n", "nodes.txt:1"),
        (b"ok\n../etc\n", "nodes.txt:2"),
        (b"# none\n", "names no node"),
        (b"\xff", "UTF-8"),
    ],
)
def test_a_list_of_nodes_that_cannot_be_is_refused(tmp_path: Path, text: bytes, words: str) -> None:
    path = tmp_path / "nodes.txt"
    path.write_bytes(text)
    with pytest.raises(Usage, match=words):
        read_node_list(path)
    with pytest.raises(Usage, match="is not a file"):
        read_node_list(tmp_path)


def test_a_node_is_forgotten_with_its_rows_only_if_that_is_said(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "fleet.db")
    kept, gone, invented = Pack("kept"), Pack("gone"), Pack("invented")
    desk.hear(
        kept.birth(), kept.row(1), gone.birth(), gone.row(1), gone.row(2), invented.birth(Row_Boot=BOOT, Row_Seq=9)
    )
    store = desk.store
    assert store.forget("invented", delete_rows=False) == 0
    with pytest.raises(Usage, match="gone has 2 rows, which would be deleted; add --delete-rows"):
        store.forget("gone", delete_rows=False)
    assert store.read_totals().stored == 3
    assert store.forget("gone", delete_rows=True) == 2
    with pytest.raises(Usage, match="no node gone is known"):
        store.forget("gone", delete_rows=True)
    assert [node.node for node in store.summary()] == ["kept"]
    assert (store.read_totals().produced, dict(store.count_rows())) == (1, {"kept": 1})
    desk.close()


def test_a_damaged_status_ends_no_fleet_at_its_start(tmp_path: Path) -> None:
    path = tmp_path / "fleet.db"
    desk = Desk(path)
    desk.hear(Pack().birth(Bundle_Sha256="ab" * 32))
    desk.close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE node SET status = '{torn'")
        database.commit()
    with closing(FleetHost(NOWHERE, path, lambda: Desk.START)) as fleet:
        assert fleet.notices == ["the stored status of pack-1 cannot be read; it is unknown until the next birth"]
        assert [(node.node, node.bundle) for node in fleet.view().nodes] == [("pack-1", "")]
        assert [node.bundle for node in fleet.summary()] == [None]


@pytest.mark.parametrize("what", ["text", "other program", "outbox", "folder"])
def test_a_file_that_is_not_a_fleets_is_refused_and_kept_as_it_is(tmp_path: Path, what: str) -> None:
    path = tmp_path / "file"
    if what == "text":
        path.write_text("a report that somebody wants to keep\n" * 10)
    elif what == "folder":
        path.mkdir()
    else:
        database = sqlite3.connect(path)
        database.execute("CREATE TABLE notes (text)")
        if what == "outbox":
            database.execute("PRAGMA application_id = 1346522968")
        database.commit()
        database.close()
    before = {found: found.read_bytes() for found in tmp_path.rglob("*") if found.is_file()}
    with pytest.raises(Usage) as refused:
        SqliteStore(path)
    assert (refused.value.key, refused.value.where) == ("db", str(path))
    assert {found: found.read_bytes() for found in tmp_path.rglob("*") if found.is_file()} == before


def test_a_fleet_that_was_killed_before_its_first_checkpoint_is_one(tmp_path: Path) -> None:
    path, killed = tmp_path / "fleet.db", tmp_path / "killed.db"
    store = SqliteStore(path)
    for tail in ("", "-wal"):
        killed.with_name(killed.name + tail).write_bytes(path.with_name(path.name + tail).read_bytes())
    store.close()
    with closing(SqliteStore(killed)) as again:
        assert again.read_totals().stored == 0
