"""Back up a fleet's database into a file, and restore it: the same for a file and for a server."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drivers.errors import StoreFailed, Usage
from drivers.timestamps import format_utc
from edge_bridge.fleet.backup.backup_file import check_backup
from edge_bridge.fleet.store.migrate import VERSION
from edge_bridge.fleet.store.open_store import parse_address

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from edge_bridge.fleet.backup.manifest import BackupManifest

BACKUP, NEWEST_MS = "backup", "newest_ms"  # the counter that keeps the time of the newest backup
_NOTE: Final = (
    f"INSERT INTO counter (kind, reason, count) VALUES ('{BACKUP}', '{NEWEST_MS}', {{place}}) "  # noqa: S608  # our own words
    "ON CONFLICT (kind, reason) DO UPDATE SET count = excluded.count"
)


def make_backup(
    store: Path | str, file: Path, now: datetime, report: Callable[[int, int], None], warn: Callable[[str], None]
) -> BackupManifest:
    """Back up the database while a fleet may write; `report` gets the bytes done and in all, 0 if nobody knows.

    Note the time in the database, for the alert on backups; `warn` if that fails. Raise `Usage`, `StoreFailed` for a
    database that does not answer, `BenchError` without PostgreSQL's programs, `RunLogError` for a full disk.
    """
    address = parse_address(store)
    if not file.parent.is_dir():
        where = str(file.parent)
        raise Usage("is not a folder", where=where, key="file", value=where, hint="name a file in another folder")
    time, time_ms = format_utc(now), round(1000.0 * now.timestamp())
    if isinstance(address, Path):
        from edge_bridge.fleet.backup import sqlite_backup  # noqa: PLC0415  # one of the two is needed

        manifest = sqlite_backup.back_up_file(address, file, time, report)
        note = partial(sqlite_backup.note_backup, address, _NOTE.format(place="?"), time_ms)
    else:
        from edge_bridge.fleet.backup import postgres_backup  # noqa: PLC0415

        manifest = postgres_backup.back_up_server(address, file, time, report)
        note = partial(postgres_backup.note_backup, address, _NOTE.format(place="%s"), time_ms)
    try:
        note()
    except StoreFailed as error:
        warn(f"the time of the backup could not be noted in the database: {error.sentence}")
    return manifest


def restore_backup(
    file: Path, store: Path | str, *, replace: bool, report: Callable[[int, int], None]
) -> BackupManifest:
    """Check the backup, then put it in place of an empty database, or with `replace` of any fleet's; return what it is.

    Raise `Usage` for a damaged file, another kind of database or a newer version, and for a database that is not empty
    or is in use.
    """
    address = parse_address(store)
    manifest = check_backup(file)
    kind = "sqlite" if isinstance(address, Path) else "postgresql"
    if manifest.database != kind:
        words = f"is a backup of {manifest.database}, the store is {kind}"
        raise Usage(words, where=str(file), key="file", value=manifest.database, hint="name a store of the same kind")
    if manifest.version > VERSION:
        words = f"has tables of version {manifest.version}, this program knows {VERSION}"
        hint = "use the program that made it, or a newer one"
        raise Usage(words, where=str(file), key="file", value=manifest.version, bound=VERSION, hint=hint)
    if isinstance(address, Path):
        from edge_bridge.fleet.backup.sqlite_backup import restore_file  # noqa: PLC0415

        restore_file(file, address, replace=replace, report=report)
    else:
        from edge_bridge.fleet.backup.postgres_backup import restore_server  # noqa: PLC0415

        restore_server(file, manifest, address, replace=replace, report=report)
    return manifest
