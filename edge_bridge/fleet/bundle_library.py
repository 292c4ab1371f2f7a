"""The bundles that a fleet can roll out: verified with its own trusted keys when they are uploaded, stored whole."""

from __future__ import annotations

import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import DocumentChanged, PulseError, Refused, rebuild
from edge_bridge.bundle.archive import unpack
from edge_bridge.bundle.manifest import CERTIFICATE, EVIDENCE
from edge_bridge.bundle.verify import verify, verify_signed

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.bundle.verify import VerifiedBundle
    from edge_bridge.fleet.documents.document import FleetDocument
    from edge_bridge.fleet.documents.sql_documents import SqlDocuments
    from edge_bridge.fleet.store.audit_chain import AuditNote

KIND: Final = "bundle"


class BundleLibrary:
    """The bundles; threads may share it."""

    def __init__(self, documents: SqlDocuments, trust: Path | None) -> None:
        """`trust` is the folder of trusted keys; without one no bundle is taken."""
        self._documents, self._trust = documents, trust
        self._lock = threading.Lock()  # one verification at a time

    def verify(self, data: bytes, now_ms: int) -> VerifiedBundle:
        """Verify a bundle; raise `BundleRefused`, or `Refused` for a fleet without trusted keys.

        It computes for seconds, so a process of its own does it: the host goes on to receive meanwhile.
        """
        if self._trust is None:
            hint = "start it with --trust DIR, the folder of public keys"
            raise Refused("this fleet has no trusted keys to verify a bundle with", key="trust", hint=hint)
        now = datetime.fromtimestamp(now_ms / 1_000, UTC)
        verify_signed(data, self._trust, now=now)  # quick: most of what is wrong starts no process
        with self._lock, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            try:
                found = pool.submit(_verify, data, self._trust, now).result()
            except BrokenProcessPool as error:
                what, hint = "the process that verifies the bundle was ended", "upload it again"
                raise Refused(what, key="bundle", hint=hint) from error
        if isinstance(found, dict):
            raise rebuild(found)
        return found

    def add(self, found: VerifiedBundle, data: bytes, who: str, note: AuditNote) -> FleetDocument:
        """Store a verified bundle; one that is there stays as it is."""
        about = found.bundle.manifest
        body = {
            "version": 1,
            "name": about.name,
            "serial": about.serial,
            "made": about.made,
            "expires": about.expires,
            "evidence": about.evidence,
            "run": about.run,
            "pack_type": about.pack_type,
            "signer": found.signer,
            "uploaded_by": who,
            "uploaded_ms": note.t_ms,
            "size": len(data),
        }
        try:
            return self._documents.put(KIND, found.sha256, body, blob=data, expected="", note=note)
        except DocumentChanged:
            known = self.find(found.sha256)
            if known is None:
                raise
            return known

    def find(self, sha256: str) -> FleetDocument | None:
        """Return what is known of a bundle, None for an unknown one."""
        return self._documents.get(KIND, sha256)

    def list_bundles(self, after: str, limit: int) -> list[FleetDocument]:
        """Return bundles by their hash, behind `after`."""
        return self._documents.find(KIND, after=after, limit=limit)

    def read(self, sha256: str) -> bytes | None:
        """Return the bytes of a bundle, None for an unknown one."""
        return self._documents.read_blob(KIND, sha256)

    def read_evidence(self, sha256: str) -> tuple[bytes, bytes | None]:
        """Return evidence and certificate of a known bundle, as JSON; the second is None without certification."""
        members: dict[str, Any] = unpack(self.read(sha256) or b"")
        return members[EVIDENCE], members.get(CERTIFICATE)


def _verify(data: bytes, trust: Path, now: datetime) -> VerifiedBundle | dict[str, Any]:
    """Verify in a process of its own; return an error as JSON, since not every error can be sent between processes."""
    try:
        return verify(data, trust, now=now)
    except PulseError as error:
        return error.as_json()
