"""The fields of people that several schemas share, with their bounds."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Path
from pydantic import BaseModel, Field

from edge_bridge.fleet.api.fields import MAX_MS
from edge_bridge.fleet.people.accounts import MAX_GRANTS, MAX_NAME, NAME_FORM
from edge_bridge.fleet.people.passwords import MAX_LENGTH, MIN_LENGTH
from edge_bridge.fleet.people.roles import FleetRole, RoleGrant
from edge_bridge.sparkplug.topics import MAX_NAME as MAX_SITE

_NAME_PATTERN: Final = f"^{NAME_FORM.pattern}$"

AccountName = Annotated[str, Field(min_length=1, max_length=MAX_NAME, pattern=_NAME_PATTERN)]
AccountPath = Annotated[str, Path(min_length=1, max_length=MAX_NAME, pattern=_NAME_PATTERN, description="Account.")]
TypedName = Annotated[str, Field(max_length=200, description="Name of the account.")]
TypedPassword = Annotated[str, Field(max_length=1_000)]
NewPassword = Annotated[
    str,
    Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH, description="None of the commonest, and not the name."),
]
PastMs = Annotated[int, Field(ge=0, le=MAX_MS, description="ms since 1970 (UTC).")]


class RoleBody(BaseModel):
    """A role at one site, or at all of them: `*`."""

    role: FleetRole
    site: str = Field(default="*", min_length=1, max_length=MAX_SITE, pattern=r"^(\*|[A-Za-z0-9._-]+)$")


Roles = Annotated[list[RoleBody], Field(max_length=MAX_GRANTS)]


def make_roles(grants: frozenset[RoleGrant]) -> list[RoleBody]:
    """Return grants as the bodies of an answer."""
    return [RoleBody(role=grant.role, site=grant.site) for grant in sorted(grants)]


def read_roles(roles: list[RoleBody]) -> frozenset[RoleGrant]:
    """Return the grants of a request."""
    return frozenset(RoleGrant(one.role, one.site) for one in roles)
