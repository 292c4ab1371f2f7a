"""Databases as earlier programs left them, as SQL: each is opened, converted and continued; so is its backup."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from edge_bridge.fleet.backup.run_backup import make_backup, restore_backup
from edge_bridge.fleet.row import StoredRow
from edge_bridge.fleet.store.migrate import VERSION
from edge_bridge.fleet.store.open_store import open_store
from edge_bridge.fleet.store.records import Batch

if TYPE_CHECKING:
    from edge_bridge.fleet.store.port import FleetStore

HERE = Path(__file__).parent
HEALTH_COLUMNS = ("soh", "soh_std", "soh_min", "resistance_growth", "resistance_growth_std")
VALUES = (1.5, 80.0, 0.5, 0.01, 3.2, 3.4, 298.15, 2, 0, "allowed", None)
HEALTH = (0.97, 0.01, 0.95, 1.1, 0.05)
FIRST_MS = 1_790_000_001_000


@pytest.fixture(params=["sqlite-1", "sqlite-2", "sqlite-3", "postgresql-3"])
def before(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, int]:
    """The URL of a database of an earlier version, and this version."""
    kind, _, version = str(request.param).partition("-")
    if kind == "postgresql":
        where = request.getfixturevalue("server").make_database()
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute((HERE / "version3_postgres.sql").read_bytes())
        return where, int(version)
    with closing(sqlite3.connect(tmp_path / "fleet.db")) as database:
        database.executescript((HERE / f"version{max(2, int(version))}.sql").read_text(encoding="utf-8"))
        if version == "1":
            for name in HEALTH_COLUMNS:
                database.execute(f"ALTER TABLE row DROP COLUMN {name}")
            database.execute("PRAGMA user_version = 1")
        database.commit()
    return f"sqlite:///{tmp_path / 'fleet.db'}", int(version)


def check(store: FleetStore, version: int) -> None:
    """What every one of these databases contains, whatever its version was."""
    one, two = store.summary()
    assert (one.node, one.produced, one.stored, one.named, one.missing) == ("pack-1", 9, 4, 2, 3)
    assert (one.missing_rows, one.bundle, one.last_ms) == (("0a:5-5", "0a:8-9"), "ab" * 32, FIRST_MS + 6000)
    assert (two.node, two.stored, two.missing) == ("pack-2", 1, 0)
    assert store.read_counts("flagged") == {"future_time": 1}
    (record,) = store.read_nodes()
    assert (record.node, record.status) == ("pack-1", {"Bundle/Sha256": "ab" * 32})
    health = HEALTH if version > 1 else (None,) * len(HEALTH)
    known = StoredRow("pack-1", "0a", 1, FIRST_MS, False, "", (*VALUES, *health), None)  # noqa: FBT003  # a row by place
    again = store.commit(Batch([known, replace(known, seq=5), replace(known, seq=6)]))
    assert (again.new, again.duplicates, again.conflicts) == (1, 2, 1)  # row 6 has another time


def test_a_database_of_an_earlier_version_is_converted_once_and_continued(before: tuple[str, int]) -> None:
    where, version = before
    with closing(open_store(where)) as store:
        assert len(store.notices) == (version < VERSION)
        assert all(f"was of version {version}, it is of version {VERSION} now" in one for one in store.notices)
        check(store, version)
    with closing(open_store(where)) as store:
        assert store.notices == []
        assert store.read_totals().stored == 6


def test_a_backup_of_an_earlier_version_is_restored_and_then_converted(before: tuple[str, int], tmp_path: Path) -> None:
    where, version = before
    file = tmp_path / "fleet.backup"
    made = make_backup(where, file, datetime.now(UTC), ignore, pytest.fail)
    assert (made.version, made.rows) == (version, 5)
    restore_backup(file, where, replace=True, report=ignore)
    with closing(open_store(where)) as store:
        check(store, version)


def ignore(done: int, total: int) -> None:
    """Nobody reads the progress here."""
