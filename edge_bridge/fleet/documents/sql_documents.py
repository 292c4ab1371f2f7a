"""Documents in the fleet's own database: JSONB in PostgreSQL, JSON text in an SQLite file."""

from __future__ import annotations

import json
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    MetaData,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import SQLAlchemyError

from edge_bridge.fleet.documents.document import FleetDocument, check_content, check_limit, check_place
from edge_bridge.fleet.documents.failures import make_change
from edge_bridge.fleet.store.audit_chain import append_entry
from edge_bridge.fleet.store.hour_marks import read_wall_ms
from edge_bridge.fleet.store.sql_store import make_failure
from edge_bridge.fleet.store.upkeep_engine import open_writer

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from sqlalchemy import URL, Connection

    from edge_bridge.fleet.store.audit_chain import AuditNote

DOCUMENT: Final = Table(
    "document",
    MetaData(),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("node", Text),
    Column("body", Text().with_variant(JSONB(), "postgresql")),
    Column("blob", LargeBinary),
    Column("version", BigInteger),
    Column("etag", Text),
    Column("changed_ms", BigInteger),
)
_SHOWN: Final = (
    DOCUMENT.c.kind,
    DOCUMENT.c.key,
    DOCUMENT.c.node,
    cast(DOCUMENT.c.body, Text).label("body"),
    func.coalesce(func.length(DOCUMENT.c.blob), 0).label("blob_size"),
    DOCUMENT.c.version,
    DOCUMENT.c.etag,
    DOCUMENT.c.changed_ms,
)
_PLACE: Final = and_(DOCUMENT.c.kind == bindparam("of_kind"), DOCUMENT.c.key == bindparam("of_key"))


class SqlDocuments:
    """A `DocumentStore` in the database of a fleet, beside its rows."""

    notice = ""

    def __init__(self, address: Path | URL) -> None:
        self._engine, self._where = open_writer(address), str(address)
        self._is_server = self._engine.dialect.name == "postgresql"

    def put(
        self,
        kind: str,
        key: str,
        body: Mapping[str, Any],
        *,
        node: str = "",
        blob: bytes | None = None,
        expected: str | None = None,
        note: AuditNote | None = None,
    ) -> FleetDocument:
        """Do as the port says; `note` is an entry of the audit that is written with it, or neither is."""
        check_place(kind, key, node)
        words = check_content(body, blob)
        with self._begin() as connection:
            if note is not None:  # first: whoever appends to the audit waits here, so that two cannot block each other
                append_entry(connection, note)
            known = self._lock(connection, kind, key)
            if expected is not None and expected != (known.etag if known else ""):
                raise make_change(kind, key)
            values = {
                "node": node,
                "body": json.loads(words) if self._is_server else words,
                "blob": blob,
                "version": known.version + 1 if known else 1,
                "etag": secrets.token_hex(12),
                "changed_ms": read_wall_ms(),
            }
            place = {"of_kind": kind, "of_key": key}
            if known:
                connection.execute(DOCUMENT.update().where(_PLACE).values(values), place)
            else:
                connection.execute(DOCUMENT.insert().values(kind=kind, key=key, **values))
            return _read(connection.execute(select(*_SHOWN).where(_PLACE), place).one())

    def get(self, kind: str, key: str) -> FleetDocument | None:
        check_place(kind, key)
        with self._begin(writes=False) as connection:
            found = connection.execute(select(*_SHOWN).where(_PLACE), {"of_kind": kind, "of_key": key}).one_or_none()
        return _read(found) if found else None

    def read_blob(self, kind: str, key: str) -> bytes | None:
        check_place(kind, key)
        with self._begin(writes=False) as connection:
            found = connection.execute(select(DOCUMENT.c.blob).where(_PLACE), {"of_kind": kind, "of_key": key}).scalar()
        return None if found is None else bytes(found)

    def find(self, kind: str, *, node: str | None = None, after: str = "", limit: int = 100) -> list[FleetDocument]:
        check_place(kind, after or "-", node or "")
        check_limit(limit)
        wanted = select(*_SHOWN).where(DOCUMENT.c.kind == kind, DOCUMENT.c.key > after)
        if node is not None:
            wanted = wanted.where(DOCUMENT.c.node == node)
        with self._begin(writes=False) as connection:
            return [_read(found) for found in connection.execute(wanted.order_by(DOCUMENT.c.key).limit(limit))]

    def list_kinds(self) -> dict[str, int]:
        wanted = select(DOCUMENT.c.kind, func.count()).group_by(DOCUMENT.c.kind).order_by(DOCUMENT.c.kind)
        with self._begin(writes=False) as connection:
            return {kind: int(count) for kind, count in connection.execute(wanted)}

    def delete(self, kind: str, key: str, *, expected: str | None = None, note: AuditNote | None = None) -> bool:
        check_place(kind, key)
        with self._begin() as connection:
            if note is not None:
                append_entry(connection, note)
            known = self._lock(connection, kind, key)
            if expected is not None and expected != (known.etag if known else ""):
                raise make_change(kind, key)
            connection.execute(delete(DOCUMENT).where(_PLACE), {"of_kind": kind, "of_key": key})
        return known is not None

    def close(self) -> None:
        self._engine.dispose()

    def _lock(self, connection: Connection, kind: str, key: str) -> Any:
        """Return version and etag, None without a document; keep others from this key until the transaction ends."""
        if self._is_server:
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{kind}/{key}", 0x504D))))
        wanted = select(DOCUMENT.c.version, DOCUMENT.c.etag).where(_PLACE)
        return connection.execute(wanted, {"of_kind": kind, "of_key": key}).one_or_none()

    @contextmanager
    def _begin(self, *, writes: bool = True) -> Generator[Connection]:
        """Begin a transaction; in an SQLite file only one that writes waits for the fleet's."""
        try:
            with self._engine.connect().execution_options(only_reads=not writes) as connection, connection.begin():
                yield connection
        except SQLAlchemyError as error:
            raise make_failure(self._where, error) from error


def _read(found: Any) -> FleetDocument:
    values = dict(zip(found._fields, found, strict=True))
    return FleetDocument(**(values | {"body": json.loads(values["body"])}))
