"""The list of runs in a folder: an SQLite file that is only a cache and can be deleted at any time."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlite_utils import Database

from drivers.errors import RunLogError
from drivers.private_files import close_to_others
from drivers.runlog.folder import ABOUT, RunInfo, being_written, load
from drivers.sqlite_errors import is_locked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

INDEX: Final = "index.db"
TABLE: Final = "runs_2"  # increase the number when the columns change, and name the former one below
FORMER: Final = ("runs_1",)  # its column types followed the first values, so that later numbers became text
COLUMNS: Final[dict[str, type]] = {
    "name": str,
    "state": str,
    "size_bytes": int,
    "stamp": str,
    "started": str,
    "duration_s": float,
    "ticks": int,
    "evidence": str,
    "bench": str,
    "detail": str,
}
LOCKED_S: Final = 0.5  # another window writes it in milliseconds; a longer lock must not delay the list


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run as the list shows it; opening a killed run seals it, and it is then recovered."""

    name: str
    state: str  # recording, sealed, recovered, killed, damaged
    size_bytes: int
    stamp: str  # of the files that this was read from
    started: str | None = None
    duration_s: float | None = None
    ticks: int | None = None
    evidence: str | None = None
    bench: str | None = None
    detail: str = ""  # for a damaged one the sentence that says why


class RunIndex:
    """The runs of one folder, newest first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def rows(self) -> list[RunRow]:
        """Read new and changed runs, and return all; an absent folder holds no runs."""
        try:
            return self._refreshed(self.folder / INDEX)
        except (sqlite3.DatabaseError, TypeError) as error:  # no database, other columns, no permission to write
            if is_locked(error):  # another window holds it
                return self._refreshed(None)
        try:
            (self.folder / INDEX).unlink(missing_ok=True)
            return self._refreshed(self.folder / INDEX)
        except (sqlite3.DatabaseError, OSError):
            return self._refreshed(None)

    def _refreshed(self, path: Path | None) -> list[RunRow]:
        homes = {home.name: home for home in self.folder.glob("*/") if (home / ABOUT).is_file()}
        if not homes:
            return []
        database: Any = (
            Database(sqlite3.connect(path, timeout=LOCKED_S)) if path else Database(memory=True)
        )  # its rows are dictionaries of anything
        if path:
            close_to_others(path)
        try:
            known = {row.name: row for row in _known(database)}
            rows = {name: _row(home, known.get(name)) for name, home in homes.items()}
            if rows != known:
                _store(database, rows.values())
        finally:
            database.close()
        return sorted(rows.values(), key=lambda row: row.started or "", reverse=True)


def _store(database: Any, rows: Iterable[RunRow]) -> None:
    for former in FORMER:
        database.table(former).drop(ignore=True)
    database.table(TABLE).create(COLUMNS, pk="name", if_not_exists=True)
    database.table(TABLE).insert_all(map(asdict, rows), truncate=True)


def _known(database: Any) -> list[RunRow]:
    """Return the rows whose values have the declared types; any other run is read from its folder again."""
    if TABLE not in database.table_names():
        return []
    return [RunRow(**row) for row in database.table(TABLE).rows if _is_whole(row)]


def _is_whole(row: dict[str, Any]) -> bool:
    optional = ("started", "duration_s", "ticks", "evidence", "bench")
    return row.keys() == COLUMNS.keys() and all(
        type(row[name]) is kind or (row[name] is None and name in optional) for name, kind in COLUMNS.items()
    )


def _row(home: Path, known: RunRow | None) -> RunRow:
    stats = [file.stat() for file in sorted(home.iterdir())]
    stamp = " ".join(f"{stat.st_mtime_ns}-{stat.st_size}" for stat in stats)
    if known is not None and known.stamp == stamp and known.state != "recording":
        return known
    size = sum(stat.st_size for stat in stats)
    try:
        about = load(home)
    except RunLogError as error:
        return RunRow(home.name, "damaged", size, stamp, detail=str(error))
    return RunRow(
        home.name,
        _state(about),
        size,
        stamp,
        started=about.started,
        duration_s=about.duration_s,
        ticks=about.ticks,
        evidence=_text(about.meta.get("evidence")),
        bench=_bench(about.meta),
    )


def _bench(meta: dict[str, Any]) -> str | None:
    try:
        return str(meta["bench"]["name"])
    except (KeyError, TypeError):
        return None  # recorded without a bench file


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _state(about: RunInfo) -> str:
    if about.state == "sealed":
        return "recovered" if about.recovered else "sealed"
    return "recording" if being_written(about) else "killed"
