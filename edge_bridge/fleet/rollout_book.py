"""The rollouts of a fleet in its database: each change is made from the version that was read, or made again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import DocumentChanged
from edge_bridge.fleet.documents.document import MAX_FOUND
from edge_bridge.fleet.rollout import Rollout, parse_rollout

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_bridge.fleet.documents.document import FleetDocument
    from edge_bridge.fleet.documents.sql_documents import SqlDocuments
    from edge_bridge.fleet.store.audit_chain import AuditNote

KIND: Final = "rollout"
TRIES: Final = 8


@dataclass(frozen=True, slots=True)
class StoredRollout:
    """A rollout, who proposed and who approved it."""

    id: str
    rollout: Rollout
    proposed_by: str
    proposed_ms: int
    approved_by: str
    etag: str


class RolloutBook:
    """The rollouts; threads and hosts may share the database."""

    def __init__(self, documents: SqlDocuments) -> None:
        self._documents = documents
        self._changed = SimpleQueue[str]()

    def take_changed(self) -> list[str]:
        """Return the numbers of the rollouts that were changed by this book since the last call."""
        found = list[str]()
        while not self._changed.empty():
            found.append(self._changed.get())
        return found

    def list_rollouts(self) -> list[StoredRollout]:
        """Return all of them, the newest first."""
        found, after = list[StoredRollout](), ""
        while page := self._documents.find(KIND, after=after, limit=MAX_FOUND):
            found, after = found + [_read(one) for one in page], page[-1].key
        return sorted(found, key=lambda one: -one.proposed_ms)

    def find(self, number: str) -> StoredRollout | None:
        """Return a rollout, None for an unknown one."""
        found = self._documents.get(KIND, number)
        return None if found is None else _read(found)

    def add(self, rollout: Rollout, who: str, now_ms: int, note: Callable[[str], AuditNote]) -> StoredRollout:
        """Add a proposed rollout; `note` makes the entry of the audit for its number."""
        number = secrets.token_hex(6)
        body = _make_body(rollout, who, now_ms, "")
        return _read(self._documents.put(KIND, number, body, expected="", note=note(number)))

    def remove(self, known: StoredRollout, note: AuditNote) -> None:
        """Remove a rollout as it was read; raise `DocumentChanged` if it is another one by now."""
        self._documents.delete(KIND, known.id, expected=known.etag, note=note)

    def change(
        self,
        number: str,
        change: Callable[[StoredRollout], Rollout],
        *,
        note: AuditNote | None = None,
        approved_by: str = "",
    ) -> StoredRollout | None:
        """Store what `change` makes of a rollout; None for an unknown one. Raise `DocumentChanged` after many tries."""
        for left in reversed(range(TRIES)):
            known = self.find(number)
            if known is None:
                return None
            wanted = change(known)
            if wanted == known.rollout and note is None:
                return known
            body = _make_body(wanted, known.proposed_by, known.proposed_ms, approved_by or known.approved_by)
            try:
                stored = _read(self._documents.put(KIND, number, body, expected=known.etag, note=note))
            except DocumentChanged:
                if not left:
                    raise
            else:
                self._changed.put(number)
                return stored
        return None


def _make_body(rollout: Rollout, proposed_by: str, proposed_ms: int, approved_by: str) -> dict[str, Any]:
    about = {"proposed_by": proposed_by, "proposed_ms": proposed_ms, "approved_by": approved_by}
    return {**about, "rollout": rollout.as_body()}


def _read(found: FleetDocument) -> StoredRollout:
    body = found.body
    return StoredRollout(
        found.key,
        parse_rollout(body["rollout"]),
        str(body["proposed_by"]),
        int(body["proposed_ms"]),
        str(body["approved_by"]),
        found.etag,
    )
