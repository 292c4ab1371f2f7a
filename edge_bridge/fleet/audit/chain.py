"""The chain of audit entries: what is hashed, and the search for the first broken link."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from edge_bridge.fleet.store.audit_chain import FIRST, make_hash

if TYPE_CHECKING:
    from collections.abc import Iterable

SCHEMA: Final = "pulsebms.fleet.audit/1"


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One entry as it is stored: who did what to which object, and a hash or JSON of what was `before` and `after`."""

    id: int
    t_ms: int
    who: str
    action: str
    object: str
    before: str
    after: str
    prev_hash: str
    hash: str

    def as_line(self) -> str:
        """Return the line of an export."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The newest entry. Kept elsewhere it shows later that the end of the log was cut off."""

    number: int = 0
    hash: str = FIRST

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """The first entry that does not fit to the one before."""

    number: int
    finding: str


def hash_record(record: AuditRecord) -> str:
    """Return the hash of an entry, over everything in it but the hash itself."""
    return make_hash(asdict(record))


def find_broken_link(
    records: Iterable[AuditRecord], anchor: ChainHead | None = None
) -> tuple[ChainHead, BrokenLink | None]:
    """Walk all entries in the order of their numbers; return the last sound one, and the first that is broken.

    `anchor` is a head that was kept elsewhere: it must be one of the entries.
    """
    head = ChainHead()
    for record in records:
        if record.id != head.number + 1:
            return head, BrokenLink(head.number + 1, "the entry is missing")
        if record.prev_hash != head.hash:
            return head, BrokenLink(record.id, "it does not continue the entry before")
        if hash_record(record) != record.hash:
            return head, BrokenLink(record.id, "its content was changed")
        head = ChainHead(record.id, record.hash)
        if anchor is not None and head.number == anchor.number and head.hash != anchor.hash:
            return head, BrokenLink(
                head.number, "it is another entry than the one of the kept head: the log was rewritten"
            )
    if anchor is not None and head.number < anchor.number:
        return head, BrokenLink(
            head.number + 1, f"the log ends before the kept head {anchor.number}: its end was cut off"
        )
    return head, None


def parse_record(line: str) -> AuditRecord:
    """Read a line of an export; raise `ValueError`."""
    try:
        fields: Any = json.loads(line)
    except RecursionError as error:
        raise ValueError("not an entry of an audit log") from error
    content = cast("dict[str, Any]", fields) if isinstance(fields, dict) else {}
    if content.pop("schema", None) != SCHEMA:
        raise ValueError(f"not an entry of {SCHEMA}")
    if content.keys() != set(AuditRecord.__slots__):
        raise ValueError("an entry with other fields")
    record = AuditRecord(**content)
    if not all(isinstance(getattr(record, name), kind) for name, kind in _KINDS.items()):
        raise ValueError("an entry with a field of another type")
    return record


def parse_head(text: str) -> ChainHead:
    """Read `NUMBER:HASH`; raise `ValueError`."""
    number, colon, digest = text.partition(":")
    if not (colon and number.isascii() and number.isdigit() and len(number) < len(FIRST) and len(digest) == len(FIRST)):
        raise ValueError("not NUMBER:HASH")
    return ChainHead(int(number), digest)


_KINDS: Final[dict[str, type]] = {
    **dict.fromkeys(("id", "t_ms"), int),
    **dict.fromkeys(("who", "action", "object", "before", "after", "prev_hash", "hash"), str),
}
