"""The audit: entries that are only appended, each linked to the one before by a hash."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, select, text

from edge_bridge.fleet.store.tables import AUDIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

FIRST: Final = "0" * 64  # the hash before the first entry
LOCK: Final = (0x5042, 2)  # the advisory lock of who appends, in PostgreSQL
_CONTENT: Final = ("id", "t_ms", "who", "action", "object", "before", "after", "prev_hash")


@dataclass(frozen=True, slots=True)
class AuditNote:
    """Who did what to which object, when; `before` and `after`: a hash of its content, or JSON of a small one."""

    t_ms: int
    who: str
    action: str
    object: str
    before: str = ""
    after: str = ""


def append_entry(connection: Connection, note: AuditNote) -> None:
    """Append an entry within the transaction of the change; nobody else can append until it ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:one, :two)"), {"one": LOCK[0], "two": LOCK[1]})
    last = connection.execute(select(AUDIT.c.id, AUDIT.c.hash).order_by(AUDIT.c.id.desc()).limit(1)).first()
    number, prev_hash = (last.id + 1, last.hash) if last is not None else (1, FIRST)
    names = ("t_ms", "who", "action", "object", "before", "after")
    entry: dict[str, Any] = {name: _clean(getattr(note, name)) for name in names} | {
        "id": number,
        "prev_hash": prev_hash,
    }
    connection.execute(insert(AUDIT), entry | {"hash": make_hash(entry)})


def read_entries(connection: Connection, before: int | None, limit: int) -> Sequence[Any]:
    """Read the newest entries, as rows of `AUDIT`, the newest first; `before` is the number of the one after them."""
    wanted = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
    return connection.execute(wanted if before is None else wanted.where(AUDIT.c.id < before)).all()


def make_hash(entry: dict[str, Any]) -> str:
    """Return the SHA-256 of an entry's content as canonical JSON."""
    content = {name: entry[name] for name in _CONTENT}
    words = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(words.encode()).hexdigest()


def _clean(value: Any) -> Any:
    """Drop what no database stores: the zero character, and halves of characters."""
    return value.replace("\0", "").encode(errors="replace").decode() if isinstance(value, str) else value


def hash_content(content: bytes | str) -> str:
    """Return the hash that an audit note names for the content of an object."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
