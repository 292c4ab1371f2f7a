"""Documents in MongoDB, by pymongo. Not verified on MongoDB: no server was at hand, it is tested with mongomock."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from pymongo import ASCENDING, MongoClient, ReturnDocument
from pymongo.errors import DuplicateKeyError, PyMongoError

from drivers.errors import StoreFailed
from edge_bridge.fleet.documents.document import FleetDocument, check_content, check_limit, check_place
from edge_bridge.fleet.documents.failures import make_change
from edge_bridge.fleet.store.hour_marks import read_wall_ms

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

NOTICE: Final = "documents in MongoDB are not verified on MongoDB: this store was tested with mongomock only"
COLLECTION: Final = "pulsebms_documents"
TIMEOUT_MS: Final = 5_000
ATTEMPTS: Final = 5  # to replace a document that others replace at the same time
_SHOWN: Final = {"blob": False}


class MongoDocuments:
    """A `DocumentStore` in a collection of a MongoDB database; one document is replaced by one atomic operation."""

    notice = NOTICE

    def __init__(self, url: str, where: str, database: str) -> None:
        """`where` names the server in errors, without a password. Raise `StoreFailed`."""
        self._where = where
        with self._report():
            self._client: Any = MongoClient(url, serverSelectionTimeoutMS=TIMEOUT_MS, w="majority", journal=True)
        try:
            with self._report():
                self._documents: Any = self._client[database][COLLECTION]
                self._documents.create_index([("kind", ASCENDING), ("key", ASCENDING)], unique=True)
        except StoreFailed:
            self._client.close()
            raise

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
        check_place(kind, key, node)
        check_content(body, blob)
        values = {"node": node, "body": dict(body), "blob": blob, "blob_size": len(blob or b"")}
        for _ in range(ATTEMPTS):
            with self._report():
                values |= {"etag": secrets.token_hex(12), "changed_ms": read_wall_ms()}
                if found := self._replace(kind, key, values, expected):
                    return _read(found)
            if expected is not None:
                raise make_change(kind, key)
        raise StoreFailed("others change the same document all the time", where=self._where, key=key, hint="try again")

    def get(self, kind: str, key: str) -> FleetDocument | None:
        check_place(kind, key)
        with self._report():
            found = self._documents.find_one({"kind": kind, "key": key}, _SHOWN)
        return _read(found) if found else None

    def read_blob(self, kind: str, key: str) -> bytes | None:
        check_place(kind, key)
        with self._report():
            found = self._documents.find_one({"kind": kind, "key": key}, {"blob": True})
        return None if not found or found["blob"] is None else bytes(found["blob"])

    def find(self, kind: str, *, node: str | None = None, after: str = "", limit: int = 100) -> list[FleetDocument]:
        check_place(kind, after or "-", node or "")
        check_limit(limit)
        wanted = {"kind": kind, "key": {"$gt": after}} | ({} if node is None else {"node": node})
        with self._report():
            return [_read(found) for found in self._documents.find(wanted, _SHOWN).sort("key", ASCENDING).limit(limit)]

    def list_kinds(self) -> dict[str, int]:
        with self._report():
            found = self._documents.aggregate([{"$group": {"_id": "$kind", "count": {"$sum": 1}}}])
            return {one["_id"]: int(one["count"]) for one in sorted(found, key=lambda one: one["_id"])}

    def delete(self, kind: str, key: str, *, expected: str | None = None) -> bool:
        check_place(kind, key)
        place = {"kind": kind, "key": key}
        with self._report():
            gone = self._documents.delete_one(place | ({} if expected is None else {"etag": expected})).deleted_count
            if not gone and expected is not None and (expected or self._documents.find_one(place, _SHOWN)):
                raise make_change(kind, key)
        return bool(gone)

    def close(self) -> None:
        self._client.close()

    def _replace(self, kind: str, key: str, values: dict[str, Any], expected: str | None) -> dict[str, Any] | None:
        """Replace or insert; return None if the document is not the expected one, or came at this moment."""
        place = {"kind": kind, "key": key}
        if expected != "":
            wanted = place | ({} if expected is None else {"etag": expected})
            change = {"$set": values, "$inc": {"version": 1}}
            found = self._documents.find_one_and_update(
                wanted, change, projection=_SHOWN, return_document=ReturnDocument.AFTER
            )
            if found or expected is not None:
                return found
        try:
            self._documents.insert_one(place | values | {"version": 1})
        except DuplicateKeyError:
            return None
        return place | values | {"version": 1}

    @contextmanager
    def _report(self) -> Generator[None]:
        try:
            yield
        except PyMongoError as error:
            words = str(error).partition("\n")[0][:200]
            raise StoreFailed(words, where=self._where, key="documents", hint="check the server") from error


def _read(found: dict[str, Any]) -> FleetDocument:
    names = ("kind", "key", "node", "body", "blob_size", "version", "etag", "changed_ms")
    return FleetDocument(**{name: found[name] for name in names})
