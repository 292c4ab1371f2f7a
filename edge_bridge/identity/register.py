"""The register of an authority in SQLite, safe for two at once: certificates, revocations, tokens."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import Refused, StoreFailed
from drivers.private_files import close_to_others, open_private

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from edge_bridge.identity.claim_token import ClaimToken
    from edge_bridge.identity.x509 import IssuedCertificate

VERSION: Final = 1
WAIT_S: Final = 10.0  # for another program
_TABLES: Final = """
CREATE TABLE certificates (
  serial TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, issued_s REAL NOT NULL, expires_s REAL NOT NULL,
  revoked_s REAL, reason TEXT NOT NULL DEFAULT '');
CREATE INDEX certificates_of_a_name ON certificates (name);
CREATE TABLE tokens (
  digest TEXT PRIMARY KEY, node TEXT NOT NULL, expires_s REAL NOT NULL, used_by TEXT);
CREATE TABLE revocation_list (number INTEGER NOT NULL, made_s REAL NOT NULL);
INSERT INTO revocation_list VALUES (0, 0);
"""


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """One certificate; times in s since 1970. `revoked_s` is None for one that was not revoked."""

    serial: int
    name: str
    kind: str
    issued_s: float
    expires_s: float
    revoked_s: float | None
    reason: str


class Register:
    """The open register; each method is one transaction."""

    def __init__(self, path: Path) -> None:
        """Open the file or make it; raise `Refused` for another program's or a later version's."""
        self._path = path
        if not path.exists():
            open_private(path, "ab").close()
        try:
            self._db = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
            self._db.execute("PRAGMA synchronous = FULL")
            with self._transaction():
                self._prepare()
        except sqlite3.DatabaseError as error:
            raise StoreFailed(f"cannot be used: {error}", where=str(path), hint="restore it from a copy") from error
        close_to_others(path)

    def close(self) -> None:
        self._db.close()

    def add_certificate(self, certificate: IssuedCertificate, now_s: float) -> None:
        with self._transaction():
            self._insert(certificate, now_s)

    def list_certificates(self, name: str = "") -> list[RegisterEntry]:
        """Return the certificates in a name, or all, the oldest first."""
        where, values = ("WHERE name = ?", (name,)) if name else ("", ())
        rows = self._db.execute(f"SELECT * FROM certificates {where} ORDER BY issued_s, rowid", values)  # noqa: S608  # our own words
        return [RegisterEntry(int(row[0], 16), *row[1:]) for row in rows]

    def is_revoked(self, serial: int) -> bool:
        """Return whether a certificate was revoked, or never issued."""
        row = self._db.execute("SELECT revoked_s FROM certificates WHERE serial = ?", (f"{serial:x}",)).fetchone()
        return row is None or row[0] is not None

    def revoke(self, name: str, now_s: float, reason: str) -> int:
        """Revoke all certificates in a name; return how many were valid until now. Its tokens end too."""
        with self._transaction():
            self._db.execute("DELETE FROM tokens WHERE node = ?", (name,))
            words = "UPDATE certificates SET revoked_s = ?, reason = ? WHERE name = ? AND revoked_s IS NULL"
            return self._db.execute(words, (now_s, reason, name)).rowcount

    def add_token(self, token: ClaimToken, expires_s: float, now_s: float) -> None:
        """Add a token; an earlier one for the same node ends."""
        with self._transaction():
            self._db.execute("DELETE FROM tokens WHERE node = ? OR expires_s < ?", (token.node, now_s))
            self._db.execute("INSERT INTO tokens VALUES (?, ?, ?, NULL)", (token.digest, token.node, expires_s))

    def use_token(self, token: ClaimToken, key: str, now_s: float) -> None:
        """Use up a token for the key with this digest; raise `Refused` for one that is unknown, used or too old."""
        with self._transaction():
            words = (
                "UPDATE tokens SET used_by = ? WHERE digest = ? AND node = ? AND expires_s > ? "
                "AND (used_by IS NULL OR used_by = ?)"
            )
            if self._db.execute(words, (key, token.digest, token.node, now_s, key)).rowcount == 1:
                return
        what = f"the token for {token.node} is not valid: it was used, replaced or revoked, or its time is over"
        raise Refused(what, key="token", hint=f"make another one: fleet enroll {token.node}")

    @contextmanager
    def next_list(self, made_s: float) -> Generator[tuple[int, float, list[RegisterEntry]]]:
        """Yield number, time and certificates of the next revocation list, and let no other be made within the block.

        Number and time increase with each list, the time by 1 s at least.
        """
        with self._transaction():
            words = (
                "UPDATE revocation_list SET number = number + 1, made_s = MAX(made_s + 1, ?) RETURNING number, made_s"
            )
            number, made_s = self._db.execute(words, (made_s,)).fetchone()
            yield number, made_s, [one for one in self.list_certificates() if one.revoked_s is not None]

    def _insert(self, certificate: IssuedCertificate, now_s: float) -> None:
        fields = (f"{certificate.serial:x}", certificate.name, certificate.kind, now_s)
        self._db.execute(
            "INSERT INTO certificates (serial, name, kind, issued_s, expires_s) VALUES (?, ?, ?, ?, ?)",
            (*fields, certificate.not_after.timestamp()),
        )

    def _prepare(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0 and not self._db.execute("SELECT 1 FROM sqlite_master").fetchone():
            for statement in _TABLES.split(";")[:-1]:
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {VERSION}")
        elif version != VERSION:
            what = f"is not the register of an authority in version {VERSION}"
            raise Refused(
                what, where=str(self._path), value=version, bound=VERSION, hint="use the program that made it"
            )

    @contextmanager
    def _transaction(self) -> Generator[Any]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise StoreFailed(f"cannot be written: {error}", where=str(self._path), hint="try again") from error
        try:
            yield
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise StoreFailed(f"cannot be written: {error}", where=str(self._path), hint="free space there") from error
        finally:
            if self._db.in_transaction:  # on a full disk SQLite has already undone it
                self._db.execute("ROLLBACK")
