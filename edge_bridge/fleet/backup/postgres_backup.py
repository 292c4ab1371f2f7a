"""Backup and restore of the tables on a PostgreSQL server, by `pg_dump` and `pg_restore`.

A restore is one transaction of `psql`: whatever fails, and when it is killed, the database is as it was.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
from contextlib import closing, contextmanager, suppress
from typing import IO, TYPE_CHECKING, Final

from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from drivers.errors import StoreFailed, Usage
from drivers.version import VERSION as PROGRAM
from edge_bridge.fleet.backup.backup_file import PIECE_BYTES, open_content, write_backup
from edge_bridge.fleet.backup.manifest import BackupManifest
from edge_bridge.fleet.backup.postgres_programs import PostgresPrograms, find_programs, make_environment
from edge_bridge.fleet.store.migrate import VERSION_TABLE, read_version
from edge_bridge.fleet.store.partitions import LOCK
from edge_bridge.fleet.store.postgres_server import SESSION
from edge_bridge.fleet.store.sql_store import make_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from sqlalchemy import URL, Connection

    from edge_bridge.fleet.backup.backup_file import ContentWriter

STOP_S: Final = 10.0
_COUNT_TABLES: Final = text("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()")
_HOSTS: Final = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND starts_with(application_name, :name)"
)
_BEGIN: Final = """\\set ON_ERROR_STOP on
BEGIN;
SELECT pg_advisory_xact_lock({first}, {second});
SET LOCAL client_min_messages = warning;
DO $before$ DECLARE found record; BEGIN
    FOR found IN SELECT oid::regclass AS name FROM pg_class
        WHERE relnamespace = {tables_text}::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    LOOP EXECUTE 'DROP TABLE IF EXISTS ' || found.name || ' CASCADE'; END LOOP;
END $before$;
"""
_END: Final = """
DO $after$ BEGIN
    IF (SELECT count(*) FROM {tables}."row") <> {rows} THEN
        RAISE EXCEPTION 'other rows than the manifest of the backup says were restored'; END IF;
END $after$;
COMMIT;
"""


def back_up_server(url: URL, target: Path, time: str, report: Callable[[int, int], None]) -> BackupManifest:
    """Dump the tables as of now, while hosts write; `report` gets the bytes done and 0, because nobody knows all."""
    with _connect(url) as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        major = _read_server_major(connection)
        programs = find_programs(major)
        snapshot = str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one())
        tables, version = _find_tables(connection), read_version(connection)
        if not tables or not version:
            raise _refuse(url, f"has no tables of a fleet: {VERSION_TABLE} is missing", "name a fleet's database")
        rows = int(connection.execute(text('SELECT count(*) FROM "row"')).scalar_one())
        command = programs.command("pg_dump", "-Fc", "--no-password", f"--snapshot={snapshot}")
        command.append(f'--schema="{tables}"')

        def write_content(writer: ContentWriter) -> Callable[[int, str], BackupManifest]:
            with _run(command, url, stdout=subprocess.PIPE) as process:
                assert process.stdout is not None  # noqa: S101  # a pipe was asked for
                while piece := process.stdout.read(PIECE_BYTES):
                    writer.write(piece)
                    report(writer.size, 0)
            return lambda size, sha256: BackupManifest(
                program=PROGRAM,
                database="postgresql",
                version=version,
                time=time,
                rows=rows,
                size=size,
                sha256=sha256,
                tables=tables,
                server=major,
                dumped_by=programs.major,
            )

        return write_backup(target, write_content, compress=False)


def restore_server(
    backup: Path, manifest: BackupManifest, url: URL, *, replace: bool, report: Callable[[int, int], None]
) -> int:
    """Restore a checked backup in one transaction; return the number of rows, which was counted in it."""
    with _connect(url) as connection:
        major = _read_server_major(connection)
        _check_target(connection, url, manifest, major, replace=replace)
    programs = find_programs(max(major, manifest.dumped_by))
    tables = manifest.tables
    begin = _BEGIN.format(first=LOCK[0], second=LOCK[1], tables_text=_quote_text(f'"{tables}"'))
    end = _END.format(tables=f'"{tables}"', rows=manifest.rows)
    command = programs.command("psql", "--no-psqlrc", "--quiet", "--no-password", "--output=/dev/null", "--file=-")
    with _run(command, url, stdin=subprocess.PIPE) as psql:
        assert psql.stdin is not None  # noqa: S101  # a pipe was asked for
        with suppress(BrokenPipeError):  # psql has ended and says why
            psql.stdin.write(begin.encode())
            with closing(_translate(backup, programs, url, tables, report)) as pieces:
                for piece in pieces:
                    psql.stdin.write(piece)
            psql.stdin.write(end.encode())  # without it psql ends, and the server undoes all
            psql.stdin.close()
    return manifest.rows


def note_backup(url: URL, statement: str, time_ms: int) -> None:
    """Execute the statement that notes the time of a backup. Raise `StoreFailed`."""
    with _connect(url) as connection:
        connection.exec_driver_sql(statement, (time_ms,))


def _check_target(connection: Connection, url: URL, manifest: BackupManifest, major: int, *, replace: bool) -> None:
    """Raise `Usage` unless the backup may be restored here."""
    if major < manifest.server:
        words = f"is PostgreSQL {major}, the backup was made from PostgreSQL {manifest.server}"
        raise _refuse(url, words, f"name a server of version {manifest.server} or newer")
    tables = _find_tables(connection)
    if tables != manifest.tables:
        words = f"keeps its tables in the schema {tables or '(none)'}, the backup has those of {manifest.tables}"
        raise _refuse(url, words, f"create the schema {manifest.tables} and name it by search_path in the URL")
    if connection.execute(_COUNT_TABLES).scalar_one() and not read_version(connection):
        raise _refuse(url, "is the database of another program", "name another database")
    hosts = int(connection.execute(_HOSTS, {"name": SESSION}).scalar_one())
    if hosts:
        raise _refuse(url, f"is in use by a fleet ({hosts} connections)", "stop all hosts of this fleet first")
    if not replace and read_version(connection):
        ask = text('SELECT EXISTS (SELECT FROM "row") OR EXISTS (SELECT FROM node)')
        if connection.execute(ask).scalar_one():
            raise _refuse(url, "is not empty", "add --replace, or name another database")


def _translate(
    backup: Path, programs: PostgresPrograms, url: URL, tables: str, report: Callable[[int, int], None]
) -> Generator[bytes]:
    """Yield the content as SQL for psql; raise `StoreFailed` if `pg_restore` does not read all of it."""
    words = ("--no-owner", "--no-privileges", f"--schema={tables}", "--file=-")
    command = programs.command("pg_restore", *words)
    with _run(command, url, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None  # noqa: S101  # pipes were asked for
        assert process.stdout is not None  # noqa: S101
        feeder = threading.Thread(target=_feed, args=(backup, process.stdin, report), name="backup", daemon=True)
        feeder.start()
        try:
            while piece := process.stdout.read(PIECE_BYTES):
                yield piece
        except BaseException:
            process.kill()
            raise
        finally:
            feeder.join()


def _feed(backup: Path, into: IO[bytes], report: Callable[[int, int], None]) -> None:
    with suppress(OSError), into, open_content(backup) as (manifest, content):  # pg_restore has ended and says why
        done = 0
        while piece := content.read(PIECE_BYTES):
            into.write(piece)
            done += len(piece)
            report(done, manifest.size)


@contextmanager
def _run(
    command: list[str], url: URL, *, stdin: int = subprocess.DEVNULL, stdout: int | None = None
) -> Generator[subprocess.Popen[bytes]]:
    """Run one of PostgreSQL's programs; raise `StoreFailed` with its last words if it fails."""
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(command, env=make_environment(url), stdin=stdin, stdout=stdout, stderr=words)  # noqa: S603  # PostgreSQL's own program
        try:
            yield process
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()
            status = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
            raise
        if status:
            words.seek(0)
            told = words.read().decode(errors="replace").strip().splitlines()
            raise StoreFailed(
                _choose_line(told) or f"{command[0]} ended with status {status}",
                where=url.render_as_string(hide_password=True),
                key="store",
                hint="the database is as it was before",
            )


def _choose_line(lines: list[str]) -> str:
    """Return the first line that names an error, for what follows it is a consequence."""
    return next((line for line in lines if "ERROR" in line or "error:" in line), lines[-1] if lines else "")


@contextmanager
def _connect(url: URL) -> Generator[Connection]:
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        connect_args={"connect_timeout": 5, "application_name": "pulsebms backup"},
    )
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise make_failure(url.render_as_string(hide_password=True), error) from error
    finally:
        engine.dispose()


def _find_tables(connection: Connection) -> str:
    """Return the schema in which the fleet's tables are, or would be."""
    return str(connection.execute(text("SELECT coalesce(current_schema(), '')")).scalar_one())


def _read_server_major(connection: Connection) -> int:
    return int(connection.execute(text("SELECT current_setting('server_version_num')::int / 10000")).scalar_one())


def _quote_text(words: str) -> str:
    quoted = words.replace("'", "''")
    return f"'{quoted}'"


def _refuse(url: URL, words: str, hint: str) -> Usage:
    where = url.render_as_string(hide_password=True)
    return Usage(words, where=where, key="store", value=where, hint=hint)
