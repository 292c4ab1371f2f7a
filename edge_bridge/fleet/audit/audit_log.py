"""The audit log in the database: append within the transaction of the change, read in order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from edge_bridge.fleet.audit.chain import AuditRecord, ChainHead
from edge_bridge.fleet.store.audit_chain import AuditNote, append_entry
from edge_bridge.fleet.store.tables import AUDIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

_PAGE: Final = 1_000


def append(
    connection: Connection, t_ms: int, who: str, action: str, what: str, *, before: Any = None, after: Any = None
) -> None:
    """Append an entry, with what changed as JSON; it is there exactly if the change of the same transaction is.

    Call it last: from here to the commit nobody else appends, on whatever host. So the chain has no fork.
    """
    append_entry(connection, AuditNote(t_ms, who, action, what, _as_json(before), _as_json(after)))


def read_head(connection: Connection) -> ChainHead:
    """Return the newest entry, number 0 where there is none."""
    wanted = select(AUDIT.c.id, AUDIT.c.hash).order_by(AUDIT.c.id.desc()).limit(1)
    found = connection.execute(wanted).first()
    return ChainHead() if found is None else ChainHead(int(found.id), str(found.hash))


def read_records(connection: Connection, after: int = 0) -> Iterator[AuditRecord]:
    """Read the entries behind a number in their order, some at a time."""
    while page := _read_page(connection, after):
        yield from page
        after = page[-1].id


def _read_page(connection: Connection, after: int) -> list[AuditRecord]:
    wanted = select(AUDIT).where(AUDIT.c.id > after).order_by(AUDIT.c.id).limit(_PAGE)
    return [AuditRecord(*row) for row in connection.execute(wanted)]


def _as_json(value: Any) -> str:
    return "" if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"))
