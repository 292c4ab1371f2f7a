"""API tokens for scripts and programs: a secret with an owner, a life, and scopes within the owner's roles."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import delete, func, insert, select

from drivers.errors import Refused, Usage
from edge_bridge.fleet.people.roles import FleetRole, RoleGrant, is_within
from edge_bridge.fleet.people.secrets import TOKEN_PREFIX, hash_secret, make_secret
from edge_bridge.fleet.store.people_tables import ACCOUNT, API_TOKEN

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

DAY_MS: Final = 86_400_000
MAX_DAYS: Final = 366
MAX_TOKENS: Final = 50  # of one account
MAX_TITLE: Final = 60


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token without its secret."""

    id: str
    account: str
    title: str
    scopes: frozenset[RoleGrant]
    made_ms: int
    expires_ms: int


def add_token(
    connection: Connection,
    account: str,
    title: str,
    scopes: Collection[RoleGrant],
    *,
    owned: Collection[RoleGrant],
    days: int,
    now_ms: int,
) -> tuple[ApiToken, str]:
    """Add a token of an account with the roles `owned`; return it and its text, which nobody can read again."""
    if not scopes or not is_within(scopes, owned):
        hint = "ask for roles and sites that the account has"
        raise Refused("a token cannot do more than its owner", key="scopes", hint=hint)
    connection.execute(delete(API_TOKEN).where(API_TOKEN.c.expires_ms <= now_ms))
    count = connection.execute(select(func.count()).where(API_TOKEN.c.account == account)).scalar_one()
    if count >= MAX_TOKENS:
        raise Refused(f"{account} has {count} tokens", key="tokens", bound=MAX_TOKENS, hint="revoke one first")
    secret = make_secret()
    token = ApiToken(secrets.token_hex(8), account, title, frozenset(scopes), now_ms, now_ms + days * DAY_MS)
    values: dict[str, Any] = {name: getattr(token, name) for name in ApiToken.__slots__}
    values |= {"scopes": _format_scopes(token.scopes), "hash": hash_secret(secret)}
    connection.execute(insert(API_TOKEN), values)
    return token, TOKEN_PREFIX + secret


def find_token(connection: Connection, secret: str, now_ms: int) -> ApiToken | None:
    """Return the token of a secret, if it has not expired and its owner may sign in."""
    wanted = (
        select(*_SHOWN)
        .join_from(API_TOKEN, ACCOUNT, API_TOKEN.c.account == ACCOUNT.c.name)
        .where(
            API_TOKEN.c.hash == hash_secret(secret), API_TOKEN.c.expires_ms > now_ms, ACCOUNT.c.disabled_ms.is_(None)
        )
    )
    found = connection.execute(wanted).first()
    return None if found is None else _make_token(found)


def list_tokens(connection: Connection, account: str) -> list[ApiToken]:
    """Return the tokens of an account, the oldest first."""
    wanted = select(*_SHOWN).where(API_TOKEN.c.account == account).order_by(API_TOKEN.c.made_ms, API_TOKEN.c.id)
    return [_make_token(row) for row in connection.execute(wanted)]


def revoke_token(connection: Connection, account: str, token: str) -> None:
    """Remove a token of an account; raise `Usage` for one that it does not have."""
    wanted = delete(API_TOKEN).where(API_TOKEN.c.id == token, API_TOKEN.c.account == account)
    if not connection.execute(wanted).rowcount:
        raise Usage(f"{account} has no token {token}", key="token", value=token, hint="list the tokens")


def revoke_tokens(connection: Connection, account: str) -> int:
    """Remove all tokens of an account; return how many there were."""
    return connection.execute(delete(API_TOKEN).where(API_TOKEN.c.account == account)).rowcount


def _make_token(row: Any) -> ApiToken:
    return ApiToken(row.id, row.account, row.title, _parse_scopes(row.scopes), row.made_ms, row.expires_ms)


def _format_scopes(scopes: Collection[RoleGrant]) -> str:
    return json.dumps([[scope.role.value, scope.site] for scope in sorted(scopes)])


def _parse_scopes(text: str) -> frozenset[RoleGrant]:
    """Read the scopes; one that this program does not know permits nothing."""
    found = cast("list[list[str]]", json.loads(text))
    return frozenset(RoleGrant(FleetRole(role), site) for role, site in found if role in set(FleetRole))


_SHOWN: Final = tuple(API_TOKEN.c[name] for name in ApiToken.__slots__)
