"""Sign in and out, and who a secret belongs to. Every change is in the audit log."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.errors import StoreFailed
from edge_bridge.fleet.audit import audit_log
from edge_bridge.fleet.people import accounts, administration, api_tokens, sessions
from edge_bridge.fleet.people.attempts import LoginAttempts
from edge_bridge.fleet.people.passwords import check_password, hash_password, is_outdated, verify_password
from edge_bridge.fleet.people.person import Person
from edge_bridge.fleet.people.request_rates import find_network
from edge_bridge.fleet.people.roles import FleetRole, RoleGrant
from edge_bridge.fleet.people.secrets import make_csrf_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from edge_bridge.fleet.host import Instant
    from edge_bridge.fleet.people.claim import ClaimFile
    from edge_bridge.fleet.store.fleet_reader import FleetReader
    from edge_bridge.fleet.store.fleet_writer import FleetWriter

UNKNOWN: Final = "(unknown)"  # what was typed as a name may be a password: the log holds names of accounts only


@dataclass(frozen=True, slots=True)
class SignIn:
    """The end of an attempt: the secret of a session; without one it failed, or must wait."""

    secret: str = ""
    wait_s: float = 0.0


class People:
    """The people of one database, for any thread."""

    def __init__(self, reader: FleetReader, writer: FleetWriter, clock: Callable[[], Instant]) -> None:
        self.reader, self.writer, self.clock = reader, writer, clock
        self._attempts = LoginAttempts()
        self._has_accounts = False  # an account is never removed, so once true it stays

    def has_accounts(self) -> bool:
        """Return whether there is any account."""
        if not self._has_accounts:
            with self.reader.begin() as connection:
                self._has_accounts = accounts.has_accounts(connection)
        return self._has_accounts

    def find_by_session(self, secret: str) -> Person | None:
        """Return who a session belongs to, None for one that is over or never was; note its use."""
        now_ms = self.clock().ms
        with self.reader.begin() as connection:
            found = sessions.find_session(connection, secret, now_ms)
            grants = accounts.read_grants(connection, found[0]) if found else frozenset[RoleGrant]()
        if found is None:
            return None
        if now_ms - found[1] >= sessions.TOUCH_MS:
            with suppress(StoreFailed), self.writer.begin() as connection:  # a full disk must not sign everybody out
                sessions.touch_session(connection, secret, now_ms)
        return Person(found[0], grants, csrf=make_csrf_token(secret), secret=secret)

    def find_by_token(self, secret: str) -> Person | None:
        """Return the owner of a token with what the token may do, None for one that is not valid."""
        with self.reader.begin() as connection:
            token = api_tokens.find_token(connection, secret, self.clock().ms)
            if token is None:
                return None
            grants = accounts.read_grants(connection, token.account)
        return Person(token.account, grants, token.scopes, token=token.id)

    def sign_in(self, name: str, password: str, address: str, former: str = "") -> SignIn:
        """Begin a session, in place of the session `former` of this browser.

        A wrong password, an unknown name and a disabled account take the same steps and get the same answer.
        """
        name, network, now = name.strip().lower()[: accounts.MAX_NAME], find_network(address), self.clock()
        if wait_s := self._attempts.begin(name, network, now.mono_s):
            return SignIn(wait_s=wait_s)
        with self.reader.begin() as connection:
            stored = accounts.read_password_hash(connection, name.replace("\0", ""))
        if not verify_password(stored, password):
            with self.writer.begin() as connection:
                self._append(
                    connection, UNKNOWN, "sign-in.failed", name if stored else UNKNOWN, after={"address": network}
                )
            return SignIn()
        self._attempts.clear(name, network)
        renewed = hash_password(password) if stored is not None and is_outdated(stored) else ""
        with self.writer.begin() as connection:
            if renewed:
                accounts.set_password(connection, name, renewed)
            if former:
                sessions.end_session(connection, former)
            secret = sessions.begin_session(connection, name, network, now.ms)
            self._append(connection, name, "sign-in", name, after={"address": network})
        return SignIn(secret)

    def claim(self, file: ClaimFile | None, token: str, name: str, password: str, address: str) -> SignIn:
        """Make the first administrator with the token of the file, and begin a session.

        Raise `Usage` for a name or password that it may not have, `Refused` if there are accounts already.
        """
        network, now = find_network(address), self.clock()
        if wait_s := self._attempts.begin(UNKNOWN, network, now.mono_s):
            return SignIn(wait_s=wait_s)
        if file is None or not file.is_valid(token):
            return SignIn()
        self._attempts.clear(UNKNOWN, network)
        grant = RoleGrant(FleetRole.ADMINISTRATOR)
        administration.claim_administrator(self.writer, name, password, grant, now.ms)
        file.remove()
        return self.sign_in(name, password, address)

    def sign_out(self, person: Person, *, everywhere: bool = False) -> int:
        """End the person's session, or all of them; return how many ended."""
        with self.writer.begin() as connection:
            if everywhere:
                count = sessions.end_sessions(connection, person.name)
            else:
                sessions.end_session(connection, person.secret)
                count = 1
            action = "sign-out.everywhere" if everywhere else "sign-out"
            self._append(connection, person.who, action, person.name, after={"sessions": count})
        return count

    def change_password(self, person: Person, former: str, password: str, address: str) -> SignIn:
        """Replace the person's own password; end all sessions of the account and begin a new one. Raise `Usage`."""
        network, now = find_network(address), self.clock()
        if wait_s := self._attempts.begin(person.name, network, now.mono_s):
            return SignIn(wait_s=wait_s)
        with self.reader.begin() as connection:
            stored = accounts.read_password_hash(connection, person.name)
        if not verify_password(stored, former):
            return SignIn()
        self._attempts.clear(person.name, network)
        check_password(password, person.name)
        hashed = hash_password(password)
        with self.writer.begin() as connection:
            accounts.set_password(connection, person.name, hashed, now.ms)
            sessions.end_sessions(connection, person.name)
            secret = sessions.begin_session(connection, person.name, network, now.ms)
            self._append(connection, person.who, "account.password", person.name)
        return SignIn(secret)

    def _append(
        self, connection: Connection, who: str, action: str, what: str, *, after: dict[str, object] | None = None
    ) -> None:
        audit_log.append(connection, self.clock().ms, who, action, what, after=after)
