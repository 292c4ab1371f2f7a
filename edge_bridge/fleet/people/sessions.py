"""Sessions of browsers: known by the hash of a random secret, ended by idleness, by age, or by their owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, or_, select, update

from edge_bridge.fleet.people.secrets import hash_secret, make_secret
from edge_bridge.fleet.store.people_tables import ACCOUNT, SESSION

if TYPE_CHECKING:
    from sqlalchemy import Connection

IDLE_MS: Final = 60 * 60_000
LIFE_MS: Final = 12 * 3_600_000  # a shift; then the person signs in again
TOUCH_MS: Final = 60_000  # a session's use is noted at most this often
MAX_SESSIONS: Final = 20  # of one account; the oldest gives way
MAX_ADDRESS: Final = 60


def begin_session(connection: Connection, account: str, address: str, now_ms: int) -> str:
    """Begin a session; return the secret for the cookie. Ended sessions of all accounts are removed."""
    secret = make_secret()
    connection.execute(delete(SESSION).where(_is_over(now_ms)))
    newest = (
        select(SESSION.c.hash)
        .where(SESSION.c.account == account)
        .order_by(SESSION.c.used_ms.desc(), SESSION.c.hash)
        .limit(MAX_SESSIONS - 1)
    )
    connection.execute(delete(SESSION).where(SESSION.c.account == account, SESSION.c.hash.not_in(newest)))
    values = {"hash": hash_secret(secret), "account": account, "made_ms": now_ms, "used_ms": now_ms}
    connection.execute(insert(SESSION), values | {"address": address[:MAX_ADDRESS]})
    return secret


def find_session(connection: Connection, secret: str, now_ms: int) -> tuple[str, int] | None:
    """Return account and last noted use of a session that is not over, of an account that may sign in."""
    digest = hash_secret(secret)
    if digest is None:
        return None
    wanted = (
        select(SESSION.c.account, SESSION.c.used_ms)
        .join_from(SESSION, ACCOUNT, SESSION.c.account == ACCOUNT.c.name)
        .where(SESSION.c.hash == digest, ~_is_over(now_ms), ACCOUNT.c.disabled_ms.is_(None))
    )
    found = connection.execute(wanted).first()
    return None if found is None else (str(found[0]), int(found[1]))


def touch_session(connection: Connection, secret: str, now_ms: int) -> None:
    """Note that the session is used now."""
    connection.execute(update(SESSION).where(SESSION.c.hash == hash_secret(secret)).values(used_ms=now_ms))


def end_session(connection: Connection, secret: str) -> None:
    """End one session; one that is over already is no error."""
    connection.execute(delete(SESSION).where(SESSION.c.hash == hash_secret(secret)))


def end_sessions(connection: Connection, account: str) -> int:
    """End all sessions of an account; return how many there were."""
    return connection.execute(delete(SESSION).where(SESSION.c.account == account)).rowcount


def _is_over(now_ms: int):  # noqa: ANN202  # SQLAlchemy's words for it are long
    ahead = SESSION.c.used_ms > now_ms + TOUCH_MS  # the clock went back: nobody knows how old it is
    return or_(SESSION.c.used_ms <= now_ms - IDLE_MS, SESSION.c.made_ms <= now_ms - LIFE_MS, ahead)
