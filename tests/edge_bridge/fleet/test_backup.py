"""Backup and restore of a fleet's database, on an SQLite file and on a real PostgreSQL server."""

from __future__ import annotations

import json
import sqlite3
import threading
import zipfile
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from drivers.errors import BenchError, PulseError, RunLogError, StoreFailed, Usage
from edge_bridge.fleet.backup import postgres_programs, run_backup
from edge_bridge.fleet.backup.backup_file import check_backup
from edge_bridge.fleet.store.migrate import VERSION
from edge_bridge.fleet.store.open_store import open_store
from tests.edge_bridge.fleet.backups import NOW, back_up, content, fill, leftovers, restore, rows
from tests.edge_bridge.fleet.pack import asked
from tests.full_disk import at_most_bytes
from tests.workbench.own_cli import run_here

if TYPE_CHECKING:
    from collections.abc import Generator

    from edge_bridge.fleet.backup.manifest import BackupManifest
    from tests.postgres import PostgresServer

ROOT = Path(__file__).parents[3]


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'fleet.db'}"
    return request.getfixturevalue("server").make_database()


@contextmanager
def pretend(manifest: BackupManifest) -> Generator[None]:
    """The next backups that are checked have this manifest."""

    def check(path: Path) -> BackupManifest:
        return manifest

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_backup, "check_backup", check)
        yield


def destroy(where: str) -> None:
    """Lose the database, as a broken disk or a wrong command does."""
    if where.startswith("sqlite"):
        for path in Path(where.removeprefix("sqlite:///")).parent.glob("fleet.db*"):
            path.unlink()
        return
    with closing(open_store(where)) as store:
        (schema,) = asked(store, "SELECT current_schema()")[0]
        asked_all = f"DROP SCHEMA {schema} CASCADE; CREATE SCHEMA {schema}"
    with psycopg.connect(where, autocommit=True) as connection:
        connection.execute(asked_all.encode())


def test_what_a_destroyed_database_contained_comes_back_from_its_backup(where: str, tmp_path: Path) -> None:
    fill(where, *range(1, 500))
    before = content(where)
    made = back_up(where, tmp_path / "fleet.backup")
    assert (made.rows, made.version, made.time, made.archive) == (499, VERSION, "2026-11-30T12:00:00Z", "not included")
    assert check_backup(tmp_path / "fleet.backup") == made
    destroy(where)
    assert restore(tmp_path / "fleet.backup", where).rows == 499
    assert content(where) == before
    with closing(open_store(where)) as store:
        (node,) = store.summary()
        assert (node.stored, node.missing, node.duplicates) == (499, 0, 0)
        again = store.commit(rows(499, 500))
        assert (again.new, again.duplicates) == (1, 1)
    assert not leftovers(tmp_path)


def test_a_backup_is_one_state_while_a_fleet_writes(where: str, tmp_path: Path) -> None:
    """Each batch has ten rows; a backup that mixed two states would have another number."""
    stop = threading.Event()
    committed = threading.Event()

    def write() -> None:
        with closing(open_store(where)) as store:
            first = 1
            while not stop.is_set():
                store.commit(rows(*range(first, first + 10)))
                first += 10
                committed.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert committed.wait(60.0)
        made = [back_up(where, tmp_path / f"{number}.backup") for number in range(2)]
    finally:
        stop.set()
        writer.join()
    assert all(one.rows % 10 == 0 for one in made)
    assert 0 < made[0].rows <= made[1].rows
    restore(tmp_path / "1.backup", where, replace=True)
    with closing(open_store(where)) as store:
        (node,) = store.summary()
        assert (node.stored, node.missing) == (made[1].rows, 0)


def test_a_damaged_backup_is_refused_and_changes_nothing(where: str, tmp_path: Path) -> None:
    fill(where, *range(1, 300))
    back_up(where, file := tmp_path / "fleet.backup")
    whole, before = file.read_bytes(), content(where)
    for at in range(20, len(whole), len(whole) // 40):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with suppress(Usage):  # a byte that ZIP does not use
            assert check_backup(file).rows == 299
            continue
        with pytest.raises(Usage, match=r"damaged|not a backup|manifest"):
            restore(file, where, replace=True)
    assert content(where) == before


def test_a_cut_or_foreign_file_is_refused(tmp_path: Path) -> None:
    where = f"sqlite:///{tmp_path / 'fleet.db'}"
    fill(where, 1)
    back_up(where, file := tmp_path / "fleet.backup")
    whole = file.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:size])
        with pytest.raises(Usage, match="not a backup"):
            restore(file, where, replace=True)
    with zipfile.ZipFile(file, "w") as other:
        other.writestr("notes.txt", "x")
    with pytest.raises(Usage, match="not a backup"):
        restore(file, where)
    with pytest.raises(Usage, match="cannot be read"):
        restore(tmp_path / "nowhere", where)


def test_what_does_not_fit_is_refused_with_its_reason(tmp_path: Path, server: PostgresServer) -> None:
    file, other = tmp_path / "fleet.backup", server.make_database()
    where = f"sqlite:///{tmp_path / 'fleet.db'}"
    fill(where, 1, 2)
    back_up(where, file)
    with pytest.raises(Usage, match="is a backup of sqlite, the store is postgresql"):
        restore(file, other)
    with pytest.raises(Usage, match=r"fleet\.db is not empty; stop the fleet and add --replace"):
        restore(file, where)
    with closing(open_store(where)), pytest.raises(Usage, match="in use by another fleet"):
        restore(file, where, replace=True)
    notes = tmp_path / "notes.db"
    with closing(sqlite3.connect(notes)) as foreign:
        foreign.execute("CREATE TABLE notes (text)")
    for call in (
        lambda: restore(file, f"sqlite:///{notes}", replace=True),
        lambda: back_up(f"sqlite:///{notes}", file),
    ):
        with pytest.raises(Usage, match=r"another program|not the database of a fleet"):
            call()
    assert check_backup(file).rows == 2
    newer = check_backup(file).model_copy(update={"version": VERSION + 1})
    with pretend(newer), pytest.raises(Usage, match=f"version {VERSION + 1}, this program knows {VERSION}"):
        restore(file, where, replace=True)


def test_a_server_that_does_not_fit_is_refused_and_stays_as_it_is(tmp_path: Path, server: PostgresServer) -> None:
    file, where, other = tmp_path / "fleet.backup", server.make_database(), server.make_database()
    with pytest.raises(Usage, match="has no tables of a fleet"):
        back_up(where, file)
    fill(where, *range(1, 50))
    back_up(where, file)
    with pytest.raises(Usage, match="is not empty; add --replace"):
        restore(file, where)
    with pytest.raises(Usage, match="keeps its tables in the schema"):
        restore(file, other)
    with closing(open_store(where)), pytest.raises(Usage, match="is in use by a fleet"):
        restore(file, where, replace=True)
    with psycopg.connect(other, autocommit=True) as connection:
        connection.execute("CREATE TABLE notes (text text)")
    old, place = check_backup(file), other.rpartition("%3D")[2]
    with pretend(old.model_copy(update={"tables": place})), pytest.raises(Usage, match="database of another program"):
        restore(file, other, replace=True)
    with pretend(old.model_copy(update={"server": 99})), pytest.raises(Usage, match="is PostgreSQL 1"):
        restore(file, where, replace=True)


def test_a_restore_with_other_rows_than_its_manifest_says_is_undone(tmp_path: Path, server: PostgresServer) -> None:
    file, where = tmp_path / "fleet.backup", server.make_database()
    fill(where, *range(1, 50))
    manifest = back_up(where, file)
    fill(where, 50, 51)
    before = content(where)
    with (
        pretend(manifest.model_copy(update={"rows": 48})),
        pytest.raises(StoreFailed, match="other rows than the manifest"),
    ):
        restore(file, where, replace=True)
    assert content(where) == before


def test_a_full_disk_is_one_sentence_and_leaves_the_backup_of_before(where: str, tmp_path: Path) -> None:
    fill(where, *range(1, 4000))
    target = tmp_path / "backups"
    target.mkdir()
    back_up(where, file := target / "fleet.backup")
    before = file.read_bytes()
    with at_most_bytes(50_000), pytest.raises(RunLogError, match=r"cannot be written: .*; free some space") as caught:
        back_up(where, file)
    assert "\n" not in str(caught.value)
    assert file.read_bytes() == before
    assert [path.name for path in target.iterdir()] == ["fleet.backup"]


def test_missing_programs_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchError, match=r"PostgreSQL 15 or newer, this machine has none of them; .*client-15"):
        postgres_programs.find_programs(15, tmp_path)
    folder = tmp_path / "usr" / "lib" / "postgresql" / "13" / "bin"
    folder.mkdir(parents=True)
    for name in postgres_programs.NAMES:
        (folder / name).write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 13.11 (Debian 13.11-1)'\n")
        (folder / name).chmod(0o755)
    assert postgres_programs.find_programs(13, tmp_path).major == 13
    with pytest.raises(BenchError, match="only those of version 13"):
        postgres_programs.find_programs(15, tmp_path)


def test_no_password_stands_on_a_command_line_or_in_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy import make_url  # noqa: PLC0415  # only here

    url = make_url("postgresql://me:geheim@db.example:5433/fleet?sslmode=verify-full&options=-csearch_path%3Dx")
    environment = postgres_programs.make_environment(url)
    assert environment["PGPASSWORD"] == "geheim"
    assert [environment[name] for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGSSLMODE", "PGOPTIONS")] == [
        *("db.example", "5433", "me", "fleet", "verify-full", "-csearch_path=x")
    ]
    with pytest.raises(Usage, match="do not know the option service"):
        postgres_programs.make_environment(make_url("postgresql://me@/fleet?service=x"))
    with pytest.raises(PulseError) as caught:
        back_up("postgresql://me:geheim@127.0.0.1:1/fleet", tmp_path / "x")
    assert "geheim" not in str(caught.value)
    assert "geheim" not in json.dumps(caught.value.as_json())


def test_the_verbs_say_how_many_rows_came_back(tmp_path: Path) -> None:
    db, file = tmp_path / "fleet.db", tmp_path / "fleet.backup"
    fill(f"sqlite:///{db}", 1, 2, 3)
    made = run_here("fleet", "backup", file, "--db", db, "--json")
    body = json.loads(made.stdout)
    assert (made.returncode, body["schema"], body["rows"], body["archive"]) == (
        *(0, "pulsebms.fleet.backup/1", 3, "not included"),
    )
    assert "not part of it" in made.stderr
    refused = run_here("fleet", "restore", file, "--db", db)
    assert (refused.returncode, "is not empty" in refused.stderr) == (2, True)
    back = run_here("fleet", "restore", file, "--db", db, "--replace")
    assert (back.returncode, "3 rows of 20" in back.stdout) == (0, True)


def test_a_backup_notes_its_time_in_the_database(where: str, tmp_path: Path) -> None:
    fill(where, 1)
    for _ in range(2):
        back_up(where, tmp_path / "fleet.backup")
    with closing(open_store(where)) as store:
        assert store.read_counts(run_backup.BACKUP) == {run_backup.NEWEST_MS: round(1000 * NOW.timestamp())}
