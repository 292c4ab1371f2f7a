"""Who sends a request, and what this person may do with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_bridge.fleet.people.accounts import LOCAL
from edge_bridge.fleet.people.roles import FleetRole, RoleGrant, find_sites, is_allowed

if TYPE_CHECKING:
    from edge_bridge.fleet.people.roles import FleetAction


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in by a session or a token, or `local`."""

    name: str
    grants: frozenset[RoleGrant]
    scopes: frozenset[RoleGrant] | None = None  # of a token: what it may do of what its owner may
    token: str = ""  # its id
    csrf: str = ""  # of a session: what each change must carry
    secret: str = ""  # of a session

    @property
    def who(self) -> str:
        """The name in the audit log."""
        return f"{self.name} (token {self.token})" if self.token else self.name

    @property
    def is_local(self) -> bool:
        return self.name == LOCAL

    def may(self, action: FleetAction, site: str | None) -> bool:
        """Return whether this person may do it at the site; None: at all sites."""
        return is_allowed(self.grants, action, site) and (self.scopes is None or is_allowed(self.scopes, action, site))

    def find_sites(self, action: FleetAction) -> frozenset[str] | None:
        """Return the sites where this person may do it; None: all of them."""
        own = find_sites(self.grants, action)
        if self.scopes is None:
            return own
        scoped = find_sites(self.scopes, action)
        if own is None or scoped is None:
            return scoped if own is None else own
        return own & scoped


LOCAL_PERSON: Final = Person(LOCAL, frozenset({RoleGrant(FleetRole.ADMINISTRATOR)}))
