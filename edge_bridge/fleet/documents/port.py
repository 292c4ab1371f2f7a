"""The port between the fleet and the database of its documents: bundles, twins of devices, reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.fleet.documents.document import FleetDocument


class DocumentStore(Protocol):
    """Documents by kind and key; threads may share a store. All raise `Usage` and `StoreFailed`."""

    @property
    def notice(self) -> str:
        """What a person should know of this store, in a sentence; empty for nothing."""
        ...

    def put(
        self,
        kind: str,
        key: str,
        body: Mapping[str, Any],
        *,
        node: str = "",
        blob: bytes | None = None,
        expected: str | None = None,
    ) -> FleetDocument:
        """Insert or replace a document, with its file.

        `expected` is the `etag` that it must have now, "" for a new one, None for any; else raise `DocumentChanged`.
        """
        ...

    def get(self, kind: str, key: str) -> FleetDocument | None:
        """Return a document, None if there is none."""
        ...

    def read_blob(self, kind: str, key: str) -> bytes | None:
        """Return the file of a document, None if there is none."""
        ...

    def find(self, kind: str, *, node: str | None = None, after: str = "", limit: int = 100) -> list[FleetDocument]:
        """Return documents of a kind, perhaps of one node, by key; those behind the key `after`."""
        ...

    def list_kinds(self) -> dict[str, int]:
        """Return the number of documents of each kind."""
        ...

    def delete(self, kind: str, key: str, *, expected: str | None = None) -> bool:
        """Delete a document; return False if there is none. Raise `DocumentChanged` as `put` does."""
        ...

    def close(self) -> None:
        """Give the database free."""
        ...
