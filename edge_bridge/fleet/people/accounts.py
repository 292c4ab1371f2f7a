"""Accounts and their roles in the database; each function is a step of the caller's transaction."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, exists, func, insert, select, update

from drivers.errors import Refused, Usage
from edge_bridge.fleet.people.roles import ALL_SITES, FleetRole, RoleGrant
from edge_bridge.fleet.store.people_tables import ACCOUNT, ROLE_GRANT

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

MAX_NAME: Final = 60
MAX_ACCOUNTS: Final = 10_000
MAX_GRANTS: Final = 200  # of one account
NAME_FORM: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{0,59}")  # lower case only: `Eve` and `eve` are one person
LOCAL: Final = "local"  # who acts on loopback while there is no account
_RESERVED: Final = frozenset({LOCAL, "console", "token", "host", "anonymous"})  # they stand in the audit log


@dataclass(frozen=True, slots=True)
class Account:
    """A person who may sign in, without the password."""

    name: str
    made_ms: int
    password_ms: int
    disabled_ms: int | None
    grants: frozenset[RoleGrant]


def check_account_name(name: str) -> None:
    """Raise `Usage` for a name that no account may have."""
    if not NAME_FORM.fullmatch(name) or name in _RESERVED:
        hint = f"use up to {MAX_NAME} of a to z, 0 to 9, . _ @ -"
        raise Usage(
            f"{name[:MAX_NAME]!r} cannot be the name of an account", key="name", value=name[:MAX_NAME], hint=hint
        )


def has_accounts(connection: Connection) -> bool:
    """Return whether there is any account, disabled ones included."""
    return bool(connection.execute(select(exists().select_from(ACCOUNT))).scalar())


def is_account(connection: Connection, name: str) -> bool:
    """Return whether there is an account of this name, disabled or not."""
    return bool(connection.execute(select(exists().where(ACCOUNT.c.name == name))).scalar())


def add_account(
    connection: Connection, name: str, password_hash: str, grants: Collection[RoleGrant], now_ms: int
) -> None:
    """Add an account; raise `Usage` for a name in use, `Refused` for a first account that is no administrator."""
    check_account_name(name)
    lock_accounts(connection)
    count = connection.execute(select(func.count()).select_from(ACCOUNT)).scalar_one()
    if count >= MAX_ACCOUNTS:
        raise Refused(f"there are {count} accounts already", key="name", bound=MAX_ACCOUNTS)
    if not count and RoleGrant(FleetRole.ADMINISTRATOR) not in grants:
        hint = "give it the role administrator at all sites"
        raise Refused("the first account must be able to make the others", key="role", hint=hint)
    if is_account(connection, name):
        raise Usage(f"there is an account {name} already", key="name", value=name, hint="choose another name")
    values = {"name": name, "password": password_hash, "made_ms": now_ms, "password_ms": now_ms, "disabled_ms": None}
    connection.execute(insert(ACCOUNT), values)
    _insert_grants(connection, name, grants)


def read_account(connection: Connection, name: str) -> Account:
    """Return an account; raise `Usage` for an unknown one."""
    found = connection.execute(select(*_SHOWN).where(ACCOUNT.c.name == name)).first()
    if found is None:
        raise Usage(
            f"there is no account {name[:MAX_NAME]}", key="name", value=name[:MAX_NAME], hint="list the accounts"
        )
    return _make_account(found, read_grants(connection, name))


def list_accounts(connection: Connection, after: str = "", limit: int = MAX_ACCOUNTS) -> list[Account]:
    """Return the accounts behind a name, by name."""
    rows = connection.execute(select(*_SHOWN).where(ACCOUNT.c.name > after).order_by(ACCOUNT.c.name).limit(limit)).all()
    grants: dict[str, set[RoleGrant]] = {}
    for account, role, site in connection.execute(_GRANTS.where(ROLE_GRANT.c.account > after)):
        grants.setdefault(account, set()).update(_parse_grant(role, site))
    return [_make_account(row, frozenset(grants.get(row.name, ()))) for row in rows]


def read_password_hash(connection: Connection, name: str) -> str | None:
    """Return the hash of an account that may sign in, None for any other name."""
    wanted = select(ACCOUNT.c.password).where(ACCOUNT.c.name == name, ACCOUNT.c.disabled_ms.is_(None))
    return connection.execute(wanted).scalar()


def read_grants(connection: Connection, name: str) -> frozenset[RoleGrant]:
    """Return the roles of an account."""
    rows = connection.execute(_GRANTS.where(ROLE_GRANT.c.account == name))
    return frozenset(grant for _, role, site in rows for grant in _parse_grant(role, site))


def set_password(connection: Connection, name: str, password_hash: str, now_ms: int | None = None) -> None:
    """Replace the hash; without a time it is the same password, hashed anew."""
    when: dict[str, Any] = {} if now_ms is None else {"password_ms": now_ms}
    connection.execute(update(ACCOUNT).where(ACCOUNT.c.name == name).values(password=password_hash, **when))


def set_disabled(connection: Connection, name: str, now_ms: int | None) -> None:
    """Disable an account, or enable it with None; raise `Refused` for the last administrator."""
    lock_accounts(connection)
    connection.execute(update(ACCOUNT).where(ACCOUNT.c.name == name).values(disabled_ms=now_ms))
    _keep_administrator(connection)


def set_grants(connection: Connection, name: str, grants: Collection[RoleGrant]) -> None:
    """Replace the roles of an account; raise `Refused` if nobody would be left to administrate all sites."""
    lock_accounts(connection)
    connection.execute(delete(ROLE_GRANT).where(ROLE_GRANT.c.account == name))
    _insert_grants(connection, name, grants)
    _keep_administrator(connection)


def lock_accounts(connection: Connection) -> None:
    """Keep others from changing accounts: two at once must not remove the last two administrators."""
    if connection.dialect.name == "postgresql":  # a transaction of SQLite has the whole file
        connection.exec_driver_sql("LOCK TABLE account IN SHARE ROW EXCLUSIVE MODE")


def _insert_grants(connection: Connection, name: str, grants: Collection[RoleGrant]) -> None:
    if len(grants) > MAX_GRANTS:
        raise Usage(f"an account has up to {MAX_GRANTS} roles", key="role", bound=MAX_GRANTS, hint="use all sites: *")
    if grants:
        values = [{"account": name, "role": one.role.value, "site": one.site} for one in sorted(set(grants))]
        connection.execute(insert(ROLE_GRANT), values)


def _keep_administrator(connection: Connection) -> None:
    wanted = (
        select(func.count())
        .join_from(ACCOUNT, ROLE_GRANT, ACCOUNT.c.name == ROLE_GRANT.c.account)
        .where(
            ACCOUNT.c.disabled_ms.is_(None),
            ROLE_GRANT.c.role == FleetRole.ADMINISTRATOR.value,
            ROLE_GRANT.c.site == ALL_SITES,
        )
    )
    if not connection.execute(wanted).scalar_one():
        hint = "make another administrator of all sites first"
        raise Refused("this is the last administrator of all sites", key="role", hint=hint)


def _make_account(row: Any, grants: frozenset[RoleGrant]) -> Account:
    return Account(row.name, row.made_ms, row.password_ms, row.disabled_ms, grants)


def _parse_grant(role: str, site: str) -> list[RoleGrant]:
    """Return the grant, nothing for a role that this program does not know: a later version may have more."""
    return [RoleGrant(FleetRole(role), site)] if role in set(FleetRole) else []


_SHOWN: Final = (ACCOUNT.c.name, ACCOUNT.c.made_ms, ACCOUNT.c.password_ms, ACCOUNT.c.disabled_ms)
_GRANTS: Final = select(ROLE_GRANT.c.account, ROLE_GRANT.c.role, ROLE_GRANT.c.site)
