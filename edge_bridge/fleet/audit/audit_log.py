"""The audit log in the database: append within the transaction of the change, read in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, insert, select, text

from edge_bridge.fleet.audit.chain import AuditRecord, ChainHead, link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

LOCK: Final = (0x5042, 4)  # the advisory lock of who appends
MAX_WORDS: Final = 200
_PAGE: Final = 1_000
AUDIT: Final = Table(
    "audit",
    MetaData(),
    Column("number", BigInteger, primary_key=True),
    Column("t_ms", BigInteger),
    Column("who", Text),
    Column("action", Text),
    Column("object", Text),
    Column("before", Text),
    Column("after", Text),
    Column("prev_hash", Text),
    Column("hash", Text),
)


def append(
    connection: Connection, t_ms: int, who: str, action: str, what: str, *, before: Any = None, after: Any = None
) -> AuditRecord:
    """Append an entry; it is there exactly if the change of the same transaction is.

    Call it last: from here to the commit nobody else appends, on whatever host. So the chain has no fork.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:one, :two)"), {"one": LOCK[0], "two": LOCK[1]})
    who, what = (part.replace("\0", "")[:MAX_WORDS] for part in (who, what))
    record = link(read_head(connection), t_ms, who, action, what, before=before, after=after)
    connection.execute(insert(AUDIT), {name: getattr(record, name) for name in AuditRecord.__slots__})
    return record


def read_head(connection: Connection) -> ChainHead:
    """Return the newest entry, number 0 where there is none."""
    wanted = select(AUDIT.c.number, AUDIT.c.hash).order_by(AUDIT.c.number.desc()).limit(1)
    found = connection.execute(wanted).first()
    return ChainHead() if found is None else ChainHead(int(found[0]), str(found[1]))


def read_records(connection: Connection, after: int = 0) -> Iterator[AuditRecord]:
    """Read the entries behind a number in their order, some at a time."""
    while page := read_page(connection, after, _PAGE):
        yield from page
        after = page[-1].number


def read_page(connection: Connection, after: int, limit: int) -> list[AuditRecord]:
    """Read up to `limit` entries behind a number in their order."""
    wanted = select(AUDIT).where(AUDIT.c.number > after).order_by(AUDIT.c.number).limit(limit)
    return [AuditRecord(*row) for row in connection.execute(wanted)]
