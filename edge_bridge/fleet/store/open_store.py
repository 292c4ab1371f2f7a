"""A fleet's store by its address: `sqlite:///FILE`, `postgresql://USER@HOST/DATABASE`, or the path of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from drivers.errors import Usage

if TYPE_CHECKING:
    from sqlalchemy import URL

    from edge_bridge.fleet.store.port import FleetStore

_HINT: Final = "write sqlite:///FILE or postgresql://USER@HOST/DATABASE"


def parse_address(where: Path | str) -> Path | URL:
    """Return the file or the server that a URL names; raise `Usage` for one that names neither."""
    if isinstance(where, Path):
        return where
    try:
        url = make_url(where)
    except (ArgumentError, ValueError) as error:  # the words of the error would show a password
        raise Usage("is not the URL of a database", key="store", hint=_HINT) from error
    shown = url.render_as_string(hide_password=True)
    if url.drivername not in {"sqlite", "postgresql"}:
        raise Usage(f"{shown} names no database that a fleet can use", key="store", value=shown, hint=_HINT)
    if not url.database or (url.drivername == "sqlite" and (url.host or url.query)):
        raise Usage(f"{shown} names no {'file' if url.host is None else 'database'}", key="store", hint=_HINT)
    return Path(url.database) if url.drivername == "sqlite" else url


def open_store(where: Path | str) -> FleetStore:
    """Open or create the store of a file or a URL; raise `Usage` or `StoreFailed`."""
    address = parse_address(where)
    if isinstance(address, Path):
        from edge_bridge.fleet.store.sqlite_store import SqliteStore  # noqa: PLC0415  # one of the two is needed

        return SqliteStore(address)
    from edge_bridge.fleet.store.postgres_store import PostgresStore  # noqa: PLC0415

    return PostgresStore(address)


def make_current(where: Path | str) -> None:
    """Convert the tables of an older version, if there are any; a file that a fleet holds is current already.

    Raise `Usage` for a database of another program, `StoreFailed` for a server that does not answer.
    """
    address = parse_address(where)
    if isinstance(address, Path):
        from edge_bridge.fleet.store.sqlite_file import is_current  # noqa: PLC0415  # as above

        if is_current(address):
            return
    open_store(where).close()
