"""The bundles that a fleet can roll out: verified with its own trusted keys when they are uploaded, stored whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import DocumentChanged, Refused
from edge_bridge.bundle.archive import unpack
from edge_bridge.bundle.manifest import CERTIFICATE, EVIDENCE
from edge_bridge.bundle.verify import verify

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

    def verify(self, data: bytes, now_ms: int) -> VerifiedBundle:
        """Verify a bundle; raise `BundleRefused`, or `Refused` for a fleet without trusted keys."""
        if self._trust is None:
            hint = "start it with --trust DIR, the folder of public keys"
            raise Refused("this fleet has no trusted keys to verify a bundle with", key="trust", hint=hint)
        return verify(data, self._trust, now=datetime.fromtimestamp(now_ms / 1_000, UTC))

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
