"""Who may do what: one table. A role is granted at one site or at all of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

ALL_SITES: Final = "*"  # no site has this name


class FleetRole(StrEnum):
    """What a person is at a site."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMINISTRATOR = "administrator"


class FleetAction(StrEnum):
    """What a request does, as far as permission is concerned."""

    OPEN = "open"  # anybody, without an account: health, sign in
    OWN = "own"  # whoever is signed in, with the own account only
    VIEW = "view"  # devices, rows, events, sites
    ACKNOWLEDGE = "acknowledge"  # an alarm
    COMMAND = "command"  # send a command to a device
    PROPOSE = "propose"  # upload a bundle, propose its rollout
    APPROVE = "approve"  # let a rollout begin that another person proposed
    REVERT = "revert"  # halt a rollout, go back to the former bundle
    EDIT_SITES = "edit-sites"
    ENROL = "enrol"  # admit and revoke devices
    GRANT = "grant"  # give and take roles
    MANAGE_ACCOUNTS = "manage-accounts"
    READ_AUDIT = "read-audit"


_VIEWER, _OPERATOR, _APPROVER, _ADMINISTRATOR = FleetRole
ROLES_OF: Final[Mapping[FleetAction, frozenset[FleetRole]]] = {
    FleetAction.VIEW: frozenset(FleetRole),
    FleetAction.ACKNOWLEDGE: frozenset({_OPERATOR, _APPROVER, _ADMINISTRATOR}),
    FleetAction.COMMAND: frozenset({_OPERATOR, _ADMINISTRATOR}),
    FleetAction.PROPOSE: frozenset({_OPERATOR, _APPROVER, _ADMINISTRATOR}),
    FleetAction.APPROVE: frozenset({_APPROVER, _ADMINISTRATOR}),
    FleetAction.REVERT: frozenset({_OPERATOR, _APPROVER, _ADMINISTRATOR}),
    FleetAction.EDIT_SITES: frozenset({_ADMINISTRATOR}),
    FleetAction.ENROL: frozenset({_ADMINISTRATOR}),
    FleetAction.GRANT: frozenset({_ADMINISTRATOR}),
    FleetAction.MANAGE_ACCOUNTS: frozenset({_ADMINISTRATOR}),
    FleetAction.READ_AUDIT: frozenset({_ADMINISTRATOR}),
}


@dataclass(frozen=True, slots=True, order=True)
class RoleGrant:
    """A role at one site, or at `ALL_SITES`."""

    role: FleetRole
    site: str = ALL_SITES


def is_allowed(grants: Collection[RoleGrant] | None, action: FleetAction, site: str | None) -> bool:
    """Return whether these grants permit the action at a site; None: at all sites. Grants are None for a stranger."""
    if action is FleetAction.OPEN:
        return True
    if grants is None:
        return False
    if action is FleetAction.OWN:
        return True
    roles = ROLES_OF[action]
    return any(grant.role in roles and grant.site in {ALL_SITES, site} for grant in grants)


def find_sites(grants: Collection[RoleGrant], action: FleetAction) -> frozenset[str] | None:
    """Return the sites where these grants permit the action; None: all of them."""
    if is_allowed(grants, action, None):
        return None
    roles = ROLES_OF.get(action, frozenset())
    return frozenset(grant.site for grant in grants if grant.role in roles)


def is_within(narrow: Collection[RoleGrant], wide: Collection[RoleGrant]) -> bool:
    """Return whether `narrow` permits nothing that `wide` does not: for the scopes of a token."""
    return all(
        is_allowed(wide, action, None if grant.site == ALL_SITES else grant.site)
        for grant in narrow
        for action, roles in ROLES_OF.items()
        if grant.role in roles
    )


def is_second_person(proposer: str, approver: str) -> bool:
    """Return whether four eyes see it: nobody approves what the same person proposed."""
    return proposer != approver
