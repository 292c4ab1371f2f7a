"""The file of a fleet's database: found again, held by one fleet, converted or refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drivers.errors import StoreFailed, Usage
from edge_bridge.fleet.row import StoredRow
from edge_bridge.fleet.store.migrate import VERSION, migrate
from edge_bridge.fleet.store.records import Batch
from edge_bridge.fleet.store.sqlite_store import SqliteStore
from tests.edge_bridge.fleet.pack import Desk, Pack, asked
from tests.edge_bridge.fleet.test_store import batch, only, row

if TYPE_CHECKING:
    from sqlalchemy import Connection

VERSION_2 = Path(__file__).with_name("version2.sql")
FIRST_MS = 1_790_000_001_000
VALUES = (1.5, 80.0, 0.5, 0.01, 3.2, 3.4, 298.15, 2, 0, "allowed", None)
HEALTH, EMPTY = (0.97, 0.01, 0.95, 1.1, 0.05), (None,) * 5
HEALTH_COLUMNS = ("soh", "soh_std", "soh_min", "resistance_growth", "resistance_growth_std")


def test_a_database_is_found_again_as_it_was_left(tmp_path: Path) -> None:
    first = Desk(tmp_path / "fleet.db")
    pack = Pack()
    first.hear(pack.birth(Bundle_Sha256="ab" * 32), pack.row(1))
    first.hear(pack.row(9), pack.death(7))
    first.close()
    store = SqliteStore(tmp_path / "fleet.db")
    (note,) = store.read_nodes()
    assert (note.node, note.online, note.status["Bundle/Sha256"]) == ("pack-1", True, "ab" * 32)
    assert (store.read_totals().stored, store.read_totals().missing) == (2, 7)
    assert store.read_counts("refused") == {"stale_death": 1}
    assert only(store).bundle == "ab" * 32
    store.close()


def test_only_one_fleet_holds_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_bridge.fleet.store.sqlite_file.LOCK_TIMEOUT_S", 0.05)
    store = SqliteStore(tmp_path / "fleet.db")
    with pytest.raises(Usage, match="in use by another fleet"):
        SqliteStore(tmp_path / "fleet.db")
    store.close()
    SqliteStore(tmp_path / "fleet.db").close()


def test_a_file_that_a_fleet_of_before_holds_is_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 2 locked its file against everybody."""
    monkeypatch.setattr("edge_bridge.fleet.store.sqlite_file.LOCK_TIMEOUT_S", 0.05)
    path = tmp_path / "fleet.db"
    SqliteStore(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as before:
        before.execute("PRAGMA locking_mode = EXCLUSIVE")
        before.execute("BEGIN IMMEDIATE")
        with pytest.raises(Usage, match="in use by another fleet"):
            SqliteStore(path)


def test_a_program_that_locks_the_file_delays_rows_and_loses_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_bridge.fleet.store.sqlite_file.LOCK_TIMEOUT_S", 0.05)
    path = tmp_path / "fleet.db"
    with closing(SqliteStore(path)) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreFailed, match="locked"):
            store.commit(batch(row(1)))
        other.execute("COMMIT")
        assert store.commit(batch(row(1))).new == 1


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE notes (text)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(Usage, match=r"notes\.db is the database of another program"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fleet.db"
    SqliteStore(path).close()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(
        Usage,
        match=f"has version 99, this program writes {VERSION} and reads 1 to {VERSION}; name another file with --db",
    ):
        SqliteStore(path)


@pytest.mark.parametrize("version", [1, 2])
def test_a_database_of_a_version_before_is_converted_and_says_so(tmp_path: Path, version: int) -> None:
    """The file is one that the program of version 2 wrote, as a dump; version 1 had no columns for health."""
    path = tmp_path / "fleet.db"
    with closing(sqlite3.connect(path)) as before:
        before.executescript(VERSION_2.read_text(encoding="utf-8"))
        if version == 1:
            for name in HEALTH_COLUMNS:
                before.execute(f"ALTER TABLE row DROP COLUMN {name}")
            before.execute("PRAGMA user_version = 1")
        before.commit()
    with closing(SqliteStore(path)) as store:
        more = "; its rows have empty columns for health" if version == 1 else ""
        assert store.notices == [f"{path} was of version {version}, it is of version {VERSION} now{more}"]
        one, two = store.summary()
        assert (one.produced, one.stored, one.named, one.missing_rows) == (9, 4, 2, ("0a:5-5", "0a:8-9"))
        assert (two.node, two.stored, one.bundle, store.read_counts("flagged")) == (
            *("pack-2", 1, "ab" * 32),
            {"future_time": 1},
        )
        assert asked(store, "SELECT first_ms, last_ms FROM boot WHERE node = 'pack-1'") == [(FIRST_MS, FIRST_MS + 6000)]
        assert [bd_seq for (bd_seq,) in asked(store, "SELECT bd_seq FROM birth ORDER BY id")] == [0, 1, 2]
        known = StoredRow("pack-1", "0a", 1, FIRST_MS, False, "", (*VALUES, *(HEALTH if version == 2 else EMPTY)), None)  # noqa: FBT003  # a row by place
        again = store.commit(Batch([known, replace(known, seq=3), replace(known, seq=6)]))
        assert (again.new, again.duplicates, again.conflicts) == (1, 2, 1)  # row 6 has another time
        assert store.read_totals().named == 1  # row 3 was named in a gap
    with closing(SqliteStore(path)) as store:
        assert not store.notices
        assert store.read_totals().stored == 6


def test_a_conversion_that_is_killed_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "fleet.db"
    with closing(sqlite3.connect(path)) as before:
        before.executescript(VERSION_2.read_text(encoding="utf-8"))

    def fail(connection: Connection) -> None:
        migrate(connection)
        raise RuntimeError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr("edge_bridge.fleet.store.sqlite_file.migrate", fail)
        with pytest.raises(RuntimeError):
            SqliteStore(path)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (2,)
        assert len(database.execute("PRAGMA table_info(boot)").fetchall()) == 5
    with closing(SqliteStore(path)) as store:
        assert len(store.notices) == 1


def test_others_read_the_file_while_a_fleet_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "fleet.db"
    with closing(SqliteStore(path)) as store, closing(sqlite3.connect(path, timeout=0.0)) as reader:
        for number in range(1, 4):
            store.commit(batch(row(number)))
            reader.execute("BEGIN")
            assert reader.execute("SELECT count(*) FROM row").fetchone() == (2 * number - 1,)
            store.commit(batch(row(10 + number)))  # a reader does not keep the fleet from writing either
            assert reader.execute("SELECT count(*) FROM row").fetchone() == (2 * number - 1,)
            reader.execute("COMMIT")


@pytest.mark.parametrize(
    "octets", [b"no database at all, but long enough to be taken for one" * 40, b"SQLite format 3\0"]
)
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "fleet.db"
    path.write_bytes(octets)
    with pytest.raises(Usage, match="cannot be used"):
        SqliteStore(path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="cannot be opened"):
        SqliteStore(tmp_path / "nowhere" / "fleet.db")
