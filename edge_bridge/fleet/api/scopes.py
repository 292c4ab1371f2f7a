"""The devices of a site or of a group, for a subscription to the live events."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_bridge.fleet.api.context import ApiContext
    from edge_bridge.fleet.live.requests import DeviceScope


def make_scope_resolver(context: ApiContext) -> Callable[[DeviceScope], frozenset[str] | None]:
    """Return what finds the devices of a scope: those heard so far, and those that the site lists; None: unknown."""

    def find_devices(scope: DeviceScope) -> frozenset[str] | None:
        site = None if scope.site is None else context.members.list_sites().get(scope.site)
        if scope.site is not None and site is None:
            return None
        nodes = frozenset(context.directory.read().devices)
        if scope.group is not None:
            nodes = frozenset(node for node in nodes if context.find_group(node) == scope.group)
            if not nodes:
                return None
        if site is None:
            return nodes
        listed = frozenset[str]() if scope.group is not None else frozenset(site.site.devices)
        return frozenset(node for node in nodes if context.find_site(node) == scope.site) | listed

    return find_devices
