"""The sites in the fleet's database, which is the truth, and the file beside it, which people may edit.

The file is compared with what was last read from it or written to it, at the start and before each change: if only one
side has changed, it goes to the other; if both have, a person has to decide.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.errors import DocumentChanged, Refused, Usage
from drivers.state_file import write_bytes
from edge_bridge.bundle.canonical_json import dump_json
from edge_bridge.fleet.documents.document import MAX_FOUND
from edge_bridge.fleet.sites.site import KIND, FleetSite, check_sites, parse_site
from edge_bridge.fleet.sites.site_file import format_sites, parse_sites, read_file
from edge_bridge.fleet.store.audit_chain import AuditNote, hash_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from edge_bridge.fleet.documents.document import FleetDocument
    from edge_bridge.fleet.documents.sql_documents import SqlDocuments

SYNC: Final = "site_file"  # kind of the document that remembers the file


@dataclass(frozen=True, slots=True)
class StoredSite:
    """A site and the tag of its version."""

    site: FleetSite
    etag: str


class SiteBook:
    """The sites; threads may share it. Every question raises `StoreFailed`."""

    def __init__(self, documents: SqlDocuments, now_ms: Callable[[], int], file: Path | None = None) -> None:
        self._documents, self._now_ms, self._file = documents, now_ms, file
        self._lock = threading.Lock()
        self.trouble = ""  # why the file is not what the database holds

    def list_sites(self) -> list[StoredSite]:
        """Return all sites, by name."""
        return [_read(found) for found in self._documents.find(KIND, limit=MAX_FOUND)]

    def find(self, name: str) -> StoredSite | None:
        """Return a site, None for an unknown one."""
        found = self._documents.get(KIND, name)
        return None if found is None else _read(found)

    def put(self, site: FleetSite, expected: str, who: str) -> StoredSite:
        """Insert (`expected` is empty) or change a site; raise `DocumentChanged`, `Usage`, `Refused`."""
        with self._lock:
            self._refuse_edited_file()
            known = self.list_sites()
            check_sites([*(one.site for one in known if one.site.name != site.name), site])
            before = next((_hash(one.site) for one in known if one.site.name == site.name), "")
            note = self._make_note(who, "site.put", f"site/{site.name}", before, _hash(site))
            stored = _read(self._documents.put(KIND, site.name, site.body, expected=expected, note=note))
            self._write_file()
        return stored

    def delete(self, name: str, expected: str, who: str) -> None:
        """Delete a site; its devices belong to none then. Raise `DocumentChanged`, `Refused`."""
        with self._lock:
            self._refuse_edited_file()
            found = self.find(name)
            if found is None:
                raise DocumentChanged("there is no such site any more", key="site", value=name, hint="list the sites")
            note = self._make_note(who, "site.delete", f"site/{name}", _hash(found.site), "")
            self._documents.delete(KIND, name, expected=expected, note=note)
            self._write_file()

    def read_file(self) -> str:
        """Bring file and database together at the start; return what was done, in words. Raise `Usage`, `Refused`."""
        if self._file is None:
            return ""
        with self._lock:
            data, sites = read_file(self._file), [one.site for one in self.list_sites()]
            of_file, of_database, begun = self._read_marks()
            if data is None or hash_content(data) == of_file:
                self._write_file()
                return self.trouble or f"{len(sites)} sites; {self._file} is up to date"
            found = sorted(parse_sites(data, str(self._file)), key=_by_name)
            is_mine = begun == hash_content(data)  # an import that was interrupted
            if sites and not is_mine and _hash_all(sites) not in {of_database, _hash_all(found)}:
                what = "was edited, and the sites in the database are others than it had before"
                hint = "move the file away to keep the sites of the database; edit the file that the fleet then writes"
                raise Refused(what, where=str(self._file), key="sites", value=str(self._file), hint=hint)
            self._mark(of_file, of_database, begun=hash_content(data))
            self._import(found)
            self._mark(hash_content(data), _hash_all(found))
            return f"{len(found)} site{'' if len(found) == 1 else 's'} read from {self._file}"

    def _import(self, wanted: list[FleetSite]) -> None:
        known = {one.site.name: one for one in self.list_sites()}
        who = "fleet.toml"
        for name in sorted(known.keys() - {site.name for site in wanted}):
            note = self._make_note(who, "site.delete", f"site/{name}", _hash(known[name].site), "")
            self._documents.delete(KIND, name, expected=known[name].etag, note=note)
        for site in wanted:
            before = known.get(site.name)
            if before is not None and before.site == site:
                continue
            note = self._make_note(
                who, "site.put", f"site/{site.name}", _hash(before.site) if before else "", _hash(site)
            )
            self._documents.put(KIND, site.name, site.body, expected=before.etag if before else "", note=note)

    def _refuse_edited_file(self) -> None:
        """Raise `Refused` if a person edited the file: writing it again would lose that."""
        if self._file is None:
            return
        try:
            data = read_file(self._file)
        except Usage as error:
            raise Refused(error.what, where=str(self._file), key="sites", hint=error.hint) from error
        if data is not None and hash_content(data) != self._read_marks()[0]:
            what, hint = "was edited since the fleet read it", "start the fleet again, so that it reads the file"
            raise Refused(what, where=str(self._file), key="sites", hint=hint)

    def _write_file(self) -> None:
        """Write the file; a disk that does not take it is told, and the next start writes it."""
        if self._file is None:
            return
        sites = [one.site for one in self.list_sites()]
        data = format_sites(sites)
        try:
            if read_file(self._file) != data:
                write_bytes(self._file, data)
        except (OSError, Usage) as error:
            words = error.sentence if isinstance(error, Usage) else error.strerror or str(error)
            self.trouble = f"{self._file} cannot be written: {words}"
            return
        self.trouble = ""
        self._mark(hash_content(data), _hash_all(sites))

    def _mark(self, file: str, sites: str, begun: str = "") -> None:
        self._documents.put(SYNC, "file", {"version": 1, "file": file, "sites": sites, "begun": begun})

    def _read_marks(self) -> tuple[str, str, str]:
        """Return the hashes of file and sites as they were when both were the same, and of a file that is being read.

        Each is empty for none.
        """
        found = self._documents.get(SYNC, "file")
        return ("", "", "") if found is None else tuple(str(found.body[name]) for name in ("file", "sites", "begun"))  # pyright: ignore[reportReturnType]

    def _make_note(self, who: str, action: str, place: str, before: str, after: str) -> AuditNote:
        return AuditNote(self._now_ms(), who, action, place, before, after)


def _read(found: FleetDocument) -> StoredSite:
    return StoredSite(parse_site(found.body), found.etag)


def _by_name(site: FleetSite) -> str:
    return site.name


def _hash(site: FleetSite) -> str:
    return hash_content(dump_json(site.body))


def _hash_all(sites: Iterable[FleetSite]) -> str:
    return hash_content(dump_json([site.body for site in sorted(sites, key=_by_name)]))
