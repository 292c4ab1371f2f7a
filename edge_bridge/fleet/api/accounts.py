"""`/accounts`: what administrators do with the accounts of others."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from pydantic import BaseModel, Field

from edge_bridge.fleet.api.cursors import make_cursor, read_cursor
from edge_bridge.fleet.api.fields import Cursor, Limit
from edge_bridge.fleet.api.people_fields import (
    AccountName,
    AccountPath,
    NewPassword,
    PastMs,
    RoleBody,
    Roles,
    make_roles,
    read_roles,
)
from edge_bridge.fleet.api.problems import ProblemRaised, make_not_found
from edge_bridge.fleet.api.signed_in import Accounts, SignedIn
from edge_bridge.fleet.people import accounts, administration
from edge_bridge.fleet.people.accounts import Account
from edge_bridge.fleet.people.people import People
from edge_bridge.fleet.people.person import Person
from edge_bridge.fleet.people.roles import ALL_SITES, FleetAction, RoleGrant

router = APIRouter(prefix="/accounts", tags=["people"])
_LIST = "accounts"


class AccountBody(BaseModel):
    """An account."""

    name: AccountName
    made_ms: PastMs
    password_ms: PastMs = Field(description="When the password was set, ms since 1970 (UTC).")
    disabled_ms: PastMs | None = Field(description="Since when it cannot sign in, null if it can.")
    roles: list[RoleBody]


class AccountPage(BaseModel):
    """A page of accounts, by name."""

    accounts: list[AccountBody]
    next: str | None = Field(description="Cursor of the next page, null at the end.")


class NewAccountBody(BaseModel):
    """An account to make. The first one must be an administrator of all sites."""

    name: AccountName
    password: NewPassword
    roles: Roles = []


class ResetBody(BaseModel):
    """Another password of an account."""

    password: NewPassword


class DisabledBody(BaseModel):
    """Whether an account is disabled."""

    disabled: bool


class RolesBody(BaseModel):
    """All roles of an account."""

    roles: Roles


@router.get("", summary="List accounts")
def list_accounts(people: Accounts, limit: Limit = 100, cursor: Cursor = None) -> AccountPage:
    """List them by name."""
    after = read_cursor(cursor, _LIST, str)[0] if cursor is not None else ""
    with people.reader.begin() as connection:
        found = accounts.list_accounts(connection, after, limit + 1)
    has_more = len(found) > limit
    page = found[:limit]
    following = make_cursor(_LIST, page[-1].name) if has_more else None
    return AccountPage(accounts=[_make_account(one) for one in page], next=following)


@router.post("", summary="Make an account", status_code=HTTPStatus.CREATED)
def add_account(people: Accounts, person: SignedIn, body: NewAccountBody) -> AccountBody:
    """Make it, with its first password and its roles."""
    grants = read_roles(body.roles)
    made = administration.add_account(
        people.writer, person.who, body.name, body.password, grants=grants, now_ms=people.clock().ms
    )
    return _make_account(made)


@router.get("/{name}", summary="Read an account")
def read_account(people: Accounts, name: AccountPath) -> AccountBody:
    """Read one account."""
    return _make_account(_find_account(people, name))


@router.put("/{name}/password", summary="Reset a password")
def reset_password(people: Accounts, person: SignedIn, name: AccountPath, body: ResetBody) -> AccountBody:
    """Replace it; the sessions and tokens of the account end."""
    _find_account(people, name)
    return _make_account(
        administration.reset_password(people.writer, person.who, name, body.password, people.clock().ms)
    )


@router.put("/{name}/disabled", summary="Disable or enable an account")
def set_disabled(people: Accounts, person: SignedIn, name: AccountPath, body: DisabledBody) -> AccountBody:
    """Disable it: its sessions and tokens end at once. Or let it sign in again."""
    _find_account(people, name)
    change = administration.disable_account if body.disabled else administration.enable_account
    return _make_account(change(people.writer, person.who, name, people.clock().ms))


@router.put("/{name}/roles", summary="Give and take roles")
def set_roles(people: Accounts, person: SignedIn, name: AccountPath, body: RolesBody) -> AccountBody:
    """Replace the roles; each one that changes needs an administrator of its site."""
    former, wanted = _find_account(people, name).grants, read_roles(body.roles)
    _check_sites(person, former ^ wanted)
    made = administration.set_grants(people.writer, person.who, name, wanted, people.clock().ms)
    return _make_account(made)


def _check_sites(person: Person, changed: frozenset[RoleGrant]) -> None:
    for grant in sorted(changed):
        if not person.may(FleetAction.GRANT, None if grant.site == ALL_SITES else grant.site):
            words = f"{person.name} may not give or take the role {grant.role.value} at {grant.site}"
            raise ProblemRaised(HTTPStatus.FORBIDDEN, "forbidden", words, "ask an administrator of that site")


def _find_account(people: People, name: str) -> Account:
    with people.reader.begin() as connection:
        if not accounts.is_account(connection, name):
            raise make_not_found(f"an account {name}")
        return accounts.read_account(connection, name)


def _make_account(account: Account) -> AccountBody:
    return AccountBody(
        name=account.name,
        made_ms=account.made_ms,
        password_ms=account.password_ms,
        disabled_ms=account.disabled_ms,
        roles=make_roles(account.grants),
    )
