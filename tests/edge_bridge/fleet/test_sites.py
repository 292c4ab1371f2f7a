"""Sites: the file that people write, the database that is the truth, and what happens when both change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import DocumentChanged, Refused, Usage
from edge_bridge.fleet.documents.sql_documents import SqlDocuments
from edge_bridge.fleet.sites import site_book
from edge_bridge.fleet.sites.site import FleetSite
from edge_bridge.fleet.sites.site_book import SiteBook
from edge_bridge.fleet.sites.site_file import format_sites, parse_sites
from edge_bridge.fleet.store.fleet_reader import FleetReader
from edge_bridge.fleet.store.open_store import open_store

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

NORTH = b'version = 1\n# ours\n[[site]]\nname = "north"\nplace = "Halle 3 \xe2\x80\x93 Tor"\ndevices = ["pack-1"]\n'
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
WORDS = st.text(max_size=40).filter(lambda words: words == "" or words.isprintable())


@pytest.fixture
def documents(tmp_path: Path) -> Generator[SqlDocuments]:
    open_store(tmp_path / "fleet.db").close()
    found = SqlDocuments(tmp_path / "fleet.db")
    yield found
    found.close()


def open_book(documents: SqlDocuments, file: Path | None = None) -> SiteBook:
    return SiteBook(documents, lambda: 1_800_000_000_000, file)


def list_names(book: SiteBook) -> list[str]:
    return [one.site.name for one in book.list_sites()]


def list_audit(tmp_path: Path) -> list[tuple[str, str, str]]:
    reader = FleetReader(tmp_path / "fleet.db")
    found = [(one.who, one.action, one.object) for one in reversed(reader.read_audit(None, 100))]
    reader.close()
    return found


@given(st.lists(st.builds(FleetSite, NAMES, WORDS, WORDS), max_size=5, unique_by=lambda site: site.name))
def test_a_file_is_read_as_it_was_written(sites: list[FleetSite]) -> None:
    assert parse_sites(format_sites(sites), "fleet.toml") == sites


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (b"version = 2", "version"),
        (b"", "version"),
        (b"version = 1\n[site]\nname = 'a'", "sites"),
        (b"version = 1\nsites = []", "sites"),
        (b"version = 1\n[[site]]\nplace = 'a'", "name"),
        (b"version = 1\n[[site]]\nname = '*'", "name"),
        (b"version = 1\n[[site]]\nname = 'a'\ncolour = 1", "site"),
        (b"version = 1\n[[site]]\nname = 'a'\ndevices = 'pack-1'", "devices"),
        (b"version = 1\n[[site]]\nname = 'a'\ndevices = [1]", "devices"),
        (b"version = 1\n[[site]]\nname = 'a'\n[[site]]\nname = 'a'", "name"),
        (b"version = 1\n[[site]]\nname = 'a'\ngroups = ['x']\n[[site]]\nname = 'b'\ngroups = ['x']", "groups"),
        (b"\xff\xfe", "sites"),
        (b"version = 1\nx = " + b"[" * 5_000, "sites"),
    ],
)
def test_a_file_that_no_fleet_can_have_is_refused(text: bytes, key: str) -> None:
    with pytest.raises(Usage) as caught:
        parse_sites(text, "fleet.toml")
    assert (caught.value.key, caught.value.where) == (key, "fleet.toml")


def test_the_first_start_reads_the_file_and_a_change_writes_it(documents: SqlDocuments, tmp_path: Path) -> None:
    file = tmp_path / "fleet.toml"
    file.write_bytes(NORTH)
    book = open_book(documents, file)
    assert "1 site read" in book.read_file()
    book.put(FleetSite("south", devices=("pack-2",)), "", "eve")
    assert [site.name for site in parse_sites(file.read_bytes(), "")] == ["north", "south"]
    assert list_audit(tmp_path) == [("fleet.toml", "site.put", "site/north"), ("eve", "site.put", "site/south")]
    again = open_book(documents, file)
    assert "up to date" in again.read_file()
    assert again.list_sites() == book.list_sites(), "a start changes nothing"


def test_an_edited_file_is_never_overwritten(documents: SqlDocuments, tmp_path: Path) -> None:
    file = tmp_path / "fleet.toml"
    file.write_bytes(NORTH)
    book = open_book(documents, file)
    book.read_file()
    file.write_bytes(edited := NORTH + b'[[site]]\nname = "east"\n')
    with pytest.raises(Refused, match="was edited"):
        book.put(FleetSite("south"), "", "eve")
    assert (file.read_bytes(), list_names(book)) == (edited, ["north"])
    open_book(documents, file).read_file()
    assert list_names(book) == ["east", "north"]


def test_two_sides_that_both_changed_are_for_a_person(documents: SqlDocuments, tmp_path: Path) -> None:
    file = tmp_path / "fleet.toml"
    file.write_bytes(NORTH)
    open_book(documents, file).read_file()
    open_book(documents).put(FleetSite("west"), "", "another host")
    file.write_bytes(edited := NORTH.replace(b"pack-1", b"pack-9"))
    with pytest.raises(Refused, match="was edited"):
        open_book(documents, file).read_file()
    assert file.read_bytes() == edited
    file.unlink()
    open_book(documents, file).read_file()
    assert [site.name for site in parse_sites(file.read_bytes(), "")] == ["north", "west"]


def test_a_start_that_was_cut_off_reads_the_rest(
    documents: SqlDocuments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "fleet.toml"
    file.write_bytes(NORTH + b'[[site]]\nname = "south"\n')
    put, calls = documents.put, list[str]()

    def cut(kind: str, key: str, *given: Any, **options: Any) -> Any:
        calls.append(key)
        if key == "south":
            raise KeyboardInterrupt
        return put(kind, key, *given, **options)

    monkeypatch.setattr(documents, "put", cut)
    with pytest.raises(KeyboardInterrupt):
        open_book(documents, file).read_file()
    monkeypatch.undo()
    assert list_names(open_book(documents)) == ["north"]
    open_book(documents, file).read_file()
    assert list_names(open_book(documents)) == ["north", "south"]


def test_a_full_disk_keeps_the_change_and_says_so(
    documents: SqlDocuments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "fleet.toml"
    book = open_book(documents, file)
    book.read_file()
    before = file.read_bytes()

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(site_book, "write_bytes", fail)
    book.put(FleetSite("north"), "", "eve")
    assert (list_names(book), "No space left" in book.trouble, file.read_bytes()) == (["north"], True, before)
    monkeypatch.undo()
    open_book(documents, file).read_file()
    assert b'"north"' in file.read_bytes()


def test_a_change_of_an_old_version_and_a_device_of_two_sites_are_refused(
    documents: SqlDocuments, tmp_path: Path
) -> None:
    book = open_book(documents)
    first = book.put(FleetSite("north", devices=("pack-1",)), "", "eve")
    book.put(FleetSite("north", "Hall 3", devices=("pack-1",)), first.etag, "eve")
    for expected in (first.etag, ""):
        with pytest.raises(DocumentChanged):
            book.put(FleetSite("north"), expected, "bob")
    with pytest.raises(DocumentChanged):
        book.delete("north", first.etag, "bob")
    with pytest.raises(Usage, match="north and south"):
        book.put(FleetSite("south", devices=("pack-1",)), "", "bob")
    assert list_names(book) == ["north"]
    assert [who for who, _, _ in list_audit(tmp_path)] == ["eve", "eve"], "what did not happen has no entry"
