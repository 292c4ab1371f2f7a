"""What a person may see of the live events: the devices of the sites where the person has a role, at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_bridge.fleet.api.access import find_person
from edge_bridge.fleet.api.visible import find_visible_nodes
from edge_bridge.fleet.live.live_access import VisibleDevices
from edge_bridge.fleet.people.roles import FleetAction
from edge_bridge.fleet.store.records import Totals

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import HTTPConnection

    from edge_bridge.fleet.api.context import ApiContext
    from edge_bridge.fleet.live.live_access import LiveAccess
    from edge_bridge.fleet.live.requests import DeviceScope


class PersonLiveAccess:
    """The access of whoever sends this connection; each question asks anew who that is, and which roles are left."""

    def __init__(self, context: ApiContext, connection: HTTPConnection) -> None:
        self._context, self._connection = context, connection

    def find_devices(self, scope: DeviceScope) -> frozenset[str] | None:
        """Return the devices of a scope: those heard so far, and those that the site lists.

        Return None for a site or group that is not known, or not to this person.
        """
        context = self._context
        site = None if scope.site is None else context.members.list_sites().get(scope.site)
        if scope.site is not None and (site is None or not self._may_see_site(scope.site)):
            return None
        visible = self.find_visible()
        nodes = frozenset(context.directory.read().devices) if visible is None else visible.nodes
        if scope.group is not None:
            nodes = frozenset(node for node in nodes if context.find_group(node) == scope.group)
            if not nodes:
                return None
        if site is None:
            return nodes
        listed = frozenset[str]() if scope.group is not None else frozenset(site.site.devices)
        return frozenset(node for node in nodes if context.find_site(node) == scope.site) | listed

    def find_visible(self) -> VisibleDevices | None:
        """Return what the person may see; nothing for one who is signed out. Raise `StoreFailed`."""
        person = find_person(self._context, self._connection)
        if person is None:
            return VisibleDevices()
        nodes = find_visible_nodes(self._context, person)
        if nodes is None:
            return None
        devices = self._context.directory.read().devices
        seen = [devices[node] for node in nodes if node in devices]
        totals = Totals(
            sum(one.produced for one in seen), sum(one.stored for one in seen), sum(one.named for one in seen)
        )
        return VisibleDevices(nodes, totals)

    def _may_see_site(self, site: str) -> bool:
        person = find_person(self._context, self._connection)
        return person is not None and person.may(FleetAction.VIEW, site)


def make_live_access(context: ApiContext) -> Callable[[HTTPConnection], LiveAccess]:
    """Return what makes the access of a connection."""
    return lambda connection: PersonLiveAccess(context, connection)
