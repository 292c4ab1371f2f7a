"""The chain of audit entries: what is hashed, and the search for the first broken link."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

SCHEMA: Final = "pulsebms.fleet.audit/1"
FIRST: Final = "0" * 64  # `prev_hash` of the first entry


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One entry as it is stored: who did what to which object; `before` and `after` tell what changed, as JSON."""

    number: int
    t_ms: int
    who: str
    action: str
    object: str
    before: str | None
    after: str | None
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
    content = [SCHEMA, *(value for name, value in asdict(record).items() if name != "hash")]
    return hashlib.sha256(json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def link(head: ChainHead, t_ms: int, who: str, action: str, what: str, *, before: Any, after: Any) -> AuditRecord:
    """Return the entry behind `head`; `before` and `after` become JSON, None stays None."""
    record = AuditRecord(
        head.number + 1, t_ms, who, action, what, _as_json(before), _as_json(after), prev_hash=head.hash, hash=""
    )
    return replace(record, hash=hash_record(record))


def find_broken_link(
    records: Iterable[AuditRecord], anchor: ChainHead | None = None
) -> tuple[ChainHead, BrokenLink | None]:
    """Walk all entries in the order of their numbers; return the last sound one, and the first that is broken.

    `anchor` is a head that was kept elsewhere: it must be one of the entries.
    """
    head = ChainHead()
    for record in records:
        if record.number != head.number + 1:
            return head, BrokenLink(head.number + 1, "the entry is missing")
        if record.prev_hash != head.hash:
            return head, BrokenLink(record.number, "it does not continue the entry before")
        if hash_record(record) != record.hash:
            return head, BrokenLink(record.number, "its content was changed")
        head = ChainHead(record.number, record.hash)
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


_KINDS: Final[dict[str, type | tuple[type, ...]]] = {
    "number": int,
    "t_ms": int,
    **dict.fromkeys(("who", "action", "object", "prev_hash", "hash"), str),
    **dict.fromkeys(("before", "after"), (str, type(None))),
}


def _as_json(value: Any) -> str | None:
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
