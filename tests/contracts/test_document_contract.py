"""What every store of documents promises: an SQLite file, a real PostgreSQL server, mongomock in place of MongoDB."""

from __future__ import annotations

import threading
from contextlib import closing
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.errors import DocumentChanged, PackageMissing, StoreFailed, Usage
from edge_bridge.fleet.documents import document, mongo_documents
from edge_bridge.fleet.documents.open_documents import open_documents
from edge_bridge.fleet.documents.sql_documents import SqlDocuments
from edge_bridge.fleet.store.audit_chain import AuditNote
from edge_bridge.fleet.store.fleet_reader import FleetReader
from edge_bridge.fleet.store.open_store import open_store, parse_address
from edge_bridge.fleet.store.records import Batch
from tests.contracts.test_store_contract import row

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from edge_bridge.fleet.documents.port import DocumentStore


def pretend(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put mongomock in the place of a server; a server finds and changes a document in one step, it does not."""
    mongomock: Any = import_module("mongomock")  # it has no type hints
    client, change, one = mongomock.MongoClient(), mongomock.Collection.find_one_and_update, threading.Lock()

    def change_alone(*words: Any, **options: Any) -> Any:
        with one:
            return change(*words, **options)

    monkeypatch.setattr(mongomock.Collection, "find_one_and_update", change_alone)

    def connect(*_words: Any, **_options: Any) -> Any:
        return client

    monkeypatch.setattr(mongo_documents, "MongoClient", connect)


@pytest.fixture(params=["sqlite", "postgresql", "mongomock"])
def where(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'fleet.db'}"
    if request.param == "postgresql":
        return request.getfixturevalue("server").make_database()
    pretend(monkeypatch)
    return "mongodb://anna:secret@localhost/fleet"


@pytest.fixture
def documents(where: str) -> Generator[DocumentStore]:
    with closing(open_documents(where)) as made:
        yield made


def test_a_document_comes_back_as_it_was(documents: DocumentStore) -> None:
    body: dict[str, Any] = {"a": [1, -(1 << 63), 0.1, 1e-300, None, True, {"ä€𝄞": ""}], "n": {}}
    put = documents.put("bundle", "ab12", body, node="pack-1", blob=b"\0\xff" * 1000)
    assert (put.version, put.blob_size, put.node) == (1, 2000, "pack-1")
    assert documents.get("bundle", "ab12") == put
    assert put.body == body
    assert documents.read_blob("bundle", "ab12") == b"\0\xff" * 1000
    assert documents.put("bundle", "empty", {}).blob_size == 0
    assert documents.read_blob("bundle", "empty") is documents.get("bundle", "nothing") is None


def test_a_change_needs_the_version_that_was_read(documents: DocumentStore) -> None:
    first = documents.put("twin", "pack-1", {"x": 1}, expected="")
    second = documents.put("twin", "pack-1", {"x": 2}, expected=first.etag)
    assert (second.version, second.etag == first.etag) == (2, False)
    for etag in ("", first.etag):
        with pytest.raises(DocumentChanged, match="twin pack-1 has changed"):
            documents.put("twin", "pack-1", {"x": 3}, expected=etag)
        with pytest.raises(DocumentChanged):
            documents.delete("twin", "pack-1", expected=etag)
    with pytest.raises(DocumentChanged):
        documents.put("twin", "pack-2", {}, expected=first.etag)
    assert documents.put("twin", "pack-1", {"x": 4}).version == 3
    assert not documents.delete("twin", "pack-2")
    assert documents.delete("twin", "pack-1", expected=documents.put("twin", "pack-1", {}).etag)
    assert documents.get("twin", "pack-1") is None
    assert documents.put("twin", "pack-1", {}).etag not in {first.etag, second.etag}


def test_documents_are_found_by_kind_and_node_page_by_page(documents: DocumentStore) -> None:
    for number in range(5):
        documents.put("report", f"r-{number}", {"number": number}, node=f"pack-{number % 2}")
    documents.put("twin", "r-9", {}, node="pack-0")
    first = documents.find("report", limit=3)
    assert [one.key for one in first] == ["r-0", "r-1", "r-2"]
    assert [one.key for one in documents.find("report", after=first[-1].key)] == ["r-3", "r-4"]
    assert [one.body["number"] for one in documents.find("report", node="pack-1")] == [1, 3]
    assert not documents.find("report", node="pack-7")
    assert documents.list_kinds() == {"report": 5, "twin": 1}


def test_two_who_change_one_document_at_once_lose_no_change(documents: DocumentStore) -> None:
    documents.put("twin", "pack-1", {"sum": 0})

    def add() -> None:
        for _ in range(10):
            while True:
                known = documents.get("twin", "pack-1")
                assert known is not None
                try:
                    documents.put("twin", "pack-1", {"sum": known.body["sum"] + 1}, expected=known.etag)
                except DocumentChanged:
                    continue
                break

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = documents.get("twin", "pack-1")
    assert found is not None
    assert (found.body, found.version) == ({"sum": 20}, 21)


@pytest.mark.parametrize(
    ("kind", "key", "body"),
    [
        ("Twin", "a", {}),
        ("twin; DROP TABLE document", "a", {}),
        ("twin", "", {}),
        ("twin", "../a", {}),
        ("twin", "a" * 129, {}),
        ("twin", "a", [1]),
        ("twin", "a", {"x": float("nan")}),
        ("twin", "a", {"x": 1e16}),
        ("twin", "a", {"x": 1 << 63}),
        ("twin", "a", {"x": "a\0b"}),
        ("twin", "a", {"x": "\ud800"}),
        ("twin", "a", {"x": object()}),
        ("twin", "a", {"$set": 1}),
        ("twin", "a", {"a.b": 1}),
        ("twin", "a", {1: 1}),
        ("twin", "a", {"x": "y" * document.MAX_BODY}),
    ],
)
def test_garbage_is_refused_and_stores_nothing(documents: DocumentStore, kind: str, key: str, body: Any) -> None:
    with pytest.raises(Usage):
        documents.put(kind, key, body)
    assert documents.list_kinds() == {}


def test_what_is_too_large_or_too_deep_is_refused(documents: DocumentStore) -> None:
    nested: Any = {}
    for _ in range(10_000):
        nested = {"x": nested}
    cases: list[tuple[Any, bytes | None]] = [(nested, None), ({}, bytes(document.MAX_BLOB + 1))]
    for body, blob in cases:
        with pytest.raises(Usage):
            documents.put("twin", "a", body, blob=blob)
    for limit in (0, document.MAX_FOUND + 1):
        with pytest.raises(Usage):
            documents.find("twin", limit=limit)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(-1e15, 1e15)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=5), inner)
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(st.dictionaries(st.text("abc_ é", min_size=1, max_size=4), JSON, max_size=4))
def test_any_json_comes_back_equal(documents: DocumentStore, body: dict[str, Any]) -> None:
    documents.put("twin", "any", body)
    found = documents.get("twin", "any")
    assert found is not None
    assert found.body == body


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_documents_and_rows_share_a_database_without_waiting(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    where = f"sqlite:///{tmp_path / 'f.db'}" if kind == "sqlite" else request.getfixturevalue("server").make_database()
    with closing(open_store(where)) as store, closing(open_documents(where)) as documents:
        assert store.commit(Batch([row(1)])).new == 1
        documents.put("twin", "pack-1", {"x": 1})
        assert store.commit(Batch([row(2)])).new == 1
        assert documents.list_kinds() == {"twin": 1}


def test_mongodb_is_called_unverified(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    with closing(open_documents("mongodb://localhost/fleet")) as documents:
        assert "not verified on MongoDB" in documents.notice
    assert "Not verified on MongoDB" in str(mongo_documents.__doc__)


@pytest.mark.parametrize("where", ["mongodb://", "mongodb://localhost", "mongodb://localhost/a/b", "mongodb://[/x"])
def test_a_url_that_names_no_database_is_refused(where: str) -> None:
    with pytest.raises(Usage):
        open_documents(where)


def test_a_server_that_is_not_there_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongo_documents, "TIMEOUT_MS", 200)
    with pytest.raises(StoreFailed) as failed:
        open_documents("mongodb://anna:secret@127.0.0.1:9/fleet")
    assert "127.0.0.1" in failed.value.sentence
    assert "secret" not in str(failed.value)


def test_the_extra_is_named_where_pymongo_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "edge_bridge.fleet.documents.mongo_documents", None)
    with pytest.raises(PackageMissing, match=r"pulsebms\[mongo\]"):
        open_documents("mongodb://localhost/fleet")


@pytest.mark.parametrize("where", ["sqlite", "postgresql"], indirect=True)
def test_a_change_and_its_entry_in_the_audit_are_both_there_or_neither(where: str) -> None:
    open_store(where).close()
    with closing(SqlDocuments(parse_address(where))) as documents, closing(FleetReader(where)) as reader:
        notes = [AuditNote(number, "eve", f"turn-{number}", "site/north") for number in range(3)]
        made = documents.put("site", "north", {}, expected="", note=notes[0])
        with pytest.raises(DocumentChanged):
            documents.put("site", "north", {}, expected="", note=notes[1])
        with pytest.raises(DocumentChanged):
            documents.delete("site", "north", expected="0", note=notes[1])
        assert documents.delete("site", "north", expected=made.etag, note=notes[2])
        assert [one.action for one in reader.read_audit(None, 9)] == ["turn-2", "turn-0"]


@pytest.mark.parametrize("where", ["postgresql"], indirect=True)
def test_noted_changes_of_two_hosts_at_once_do_not_block_each_other(where: str) -> None:
    open_store(where).close()
    with closing(FleetReader(where)) as reader:

        def change(host: str) -> None:
            with closing(SqlDocuments(parse_address(where))) as documents:
                for number in range(20):
                    note = AuditNote(number, host, "site.put", "site/north")
                    documents.put("site", f"site-{number % 3}", {"by": host}, note=note)

        threads = [threading.Thread(target=change, args=(f"host-{number}",)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        entries = reader.read_audit(None, 100)
        assert len(entries) == 60
        assert {one.id: one.prev_hash for one in entries[:-1]} == {one.id + 1: one.hash for one in entries[1:]}
