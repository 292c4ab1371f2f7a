"""What administrators do with accounts, from the API or the command line: each change with its entry in the audit log.

`who` is the name in that log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drivers.errors import Refused
from edge_bridge.fleet.audit import audit_log
from edge_bridge.fleet.people import accounts, api_tokens, sessions
from edge_bridge.fleet.people.passwords import check_password, hash_password

if TYPE_CHECKING:
    from collections.abc import Collection

    from edge_bridge.fleet.people.accounts import Account
    from edge_bridge.fleet.people.api_tokens import ApiToken
    from edge_bridge.fleet.people.person import Person
    from edge_bridge.fleet.people.roles import RoleGrant
    from edge_bridge.fleet.store.fleet_writer import FleetWriter


def add_account(
    writer: FleetWriter, who: str, name: str, password: str, *, grants: Collection[RoleGrant], now_ms: int
) -> Account:
    """Add an account; raise `Usage` for a name or password that it may not have, `Refused` for a wrong first one."""
    accounts.check_account_name(name)
    check_password(password, name)
    hashed = hash_password(password)
    with writer.begin() as connection:
        accounts.add_account(connection, name, hashed, grants, now_ms)
        audit_log.append(connection, now_ms, who, "account.add", name, after=format_grants(grants))
        return accounts.read_account(connection, name)


def claim_administrator(writer: FleetWriter, name: str, password: str, grant: RoleGrant, now_ms: int) -> Account:
    """Make the first account; raise `Refused` if there is one."""
    accounts.check_account_name(name)
    check_password(password, name)
    hashed = hash_password(password)
    with writer.begin() as connection:
        accounts.lock_accounts(connection)
        if accounts.has_accounts(connection):
            raise Refused("there are accounts already", key="token", hint="ask an administrator for an account")
        accounts.add_account(connection, name, hashed, [grant], now_ms)
        audit_log.append(connection, now_ms, name, "account.claim", name, after=format_grants([grant]))
        return accounts.read_account(connection, name)


def reset_password(writer: FleetWriter, who: str, name: str, password: str, now_ms: int) -> Account:
    """Give an account another password; its sessions and tokens end."""
    check_password(password, name)
    hashed = hash_password(password)
    with writer.begin() as connection:
        account = accounts.read_account(connection, name)
        accounts.set_password(connection, name, hashed, now_ms)
        ended = {
            "sessions": sessions.end_sessions(connection, name),
            "tokens": api_tokens.revoke_tokens(connection, name),
        }
        audit_log.append(connection, now_ms, who, "account.reset-password", name, after=ended)
        return account


def disable_account(writer: FleetWriter, who: str, name: str, now_ms: int) -> Account:
    """Keep an account from signing in; its sessions and tokens end. Raise `Refused` for the last administrator."""
    with writer.begin() as connection:
        accounts.read_account(connection, name)
        accounts.set_disabled(connection, name, now_ms)
        ended = {
            "sessions": sessions.end_sessions(connection, name),
            "tokens": api_tokens.revoke_tokens(connection, name),
        }
        audit_log.append(connection, now_ms, who, "account.disable", name, after=ended)
        return accounts.read_account(connection, name)


def enable_account(writer: FleetWriter, who: str, name: str, now_ms: int) -> Account:
    """Let an account sign in again."""
    with writer.begin() as connection:
        accounts.read_account(connection, name)
        accounts.set_disabled(connection, name, None)
        audit_log.append(connection, now_ms, who, "account.enable", name)
        return accounts.read_account(connection, name)


def set_grants(writer: FleetWriter, who: str, name: str, grants: Collection[RoleGrant], now_ms: int) -> Account:
    """Replace the roles of an account. Raise `Refused` if no administrator of all sites would be left."""
    with writer.begin() as connection:
        former = accounts.read_account(connection, name).grants
        accounts.set_grants(connection, name, grants)
        before, after = format_grants(former), format_grants(grants)
        audit_log.append(connection, now_ms, who, "account.roles", name, before=before, after=after)
        return accounts.read_account(connection, name)


def add_token(
    writer: FleetWriter, person: Person, title: str, scopes: Collection[RoleGrant], *, days: int, now_ms: int
) -> tuple[ApiToken, str]:
    """Make a token of a person; return it and its text. Raise `Refused` for more than the person may do."""
    with writer.begin() as connection:
        owned = accounts.read_grants(connection, person.name)
        token, text = api_tokens.add_token(
            connection, person.name, title, scopes, owned=owned, days=days, now_ms=now_ms
        )
        after = {"scopes": format_grants(scopes), "expires_ms": token.expires_ms}
        audit_log.append(connection, now_ms, person.who, "token.add", token.id, after=after)
        return token, text


def revoke_token(writer: FleetWriter, person: Person, token: str, now_ms: int) -> None:
    """Remove a token of a person; raise `Usage` for one that the person does not have."""
    with writer.begin() as connection:
        api_tokens.revoke_token(connection, person.name, token)
        audit_log.append(connection, now_ms, person.who, "token.revoke", token)


def format_grants(grants: Collection[RoleGrant]) -> list[list[Any]]:
    """Return roles as the audit log holds them."""
    return [[grant.role.value, grant.site] for grant in sorted(set(grants))]
