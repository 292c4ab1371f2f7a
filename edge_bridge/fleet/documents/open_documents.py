"""A fleet's documents by an address: that of its database, or `mongodb://HOST/DATABASE`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from drivers.errors import PackageMissing, Usage
from edge_bridge.fleet.store.open_store import make_current, parse_address

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.fleet.documents.port import DocumentStore

_MONGO: Final = ("mongodb://", "mongodb+srv://")
_HINT: Final = "write mongodb://HOST/DATABASE"


def open_documents(where: Path | str) -> DocumentStore:
    """Open the documents of a fleet's database, or those in MongoDB; raise `Usage`, `StoreFailed`, `PackageMissing`."""
    if isinstance(where, str) and where.startswith(_MONGO):
        return _open_mongo(where)
    from edge_bridge.fleet.documents.sql_documents import SqlDocuments  # noqa: PLC0415  # one of the two is needed

    make_current(where)
    return SqlDocuments(parse_address(where))


def _open_mongo(url: str) -> DocumentStore:
    try:
        parts = urlsplit(url)
        host, database = parts.hostname, parts.path.strip("/")
    except ValueError as error:
        raise Usage("is not the URL of a MongoDB database", key="documents", hint=_HINT) from error
    if not host or not database or "/" in database:
        raise Usage("names no host or no database of MongoDB", key="documents", hint=_HINT)
    try:
        from edge_bridge.fleet.documents.mongo_documents import MongoDocuments  # noqa: PLC0415  # an extra
    except ImportError as error:
        hint = "pip install pulsebms[mongo]"
        raise PackageMissing("documents in MongoDB need pymongo", key="mongo", value=error.name, hint=hint) from error
    return MongoDocuments(url, f"{parts.scheme}://{host}/{database}", database)
