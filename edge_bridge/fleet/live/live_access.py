"""What one client may see of the fleet, which may change while it is connected."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from edge_bridge.fleet.store.records import Totals

if TYPE_CHECKING:
    from edge_bridge.fleet.live.requests import DeviceScope


@dataclass(frozen=True, slots=True)
class VisibleDevices:
    """The devices that somebody may see who may not see all of them, and the rows of these."""

    nodes: frozenset[str] = frozenset()
    totals: Totals = field(default_factory=lambda: Totals(0, 0, 0))


class LiveAccess(Protocol):
    """The access of one client; both methods may read the database, so the event loop calls them in a thread."""

    def find_devices(self, scope: DeviceScope) -> frozenset[str] | None:
        """Return the devices of a site or group, None if there is none of this name for the client."""
        ...

    def find_visible(self) -> VisibleDevices | None:
        """Return what the client may see at this moment, None for all devices. Raise `StoreFailed`."""
        ...


class FullAccess:
    """The access of a hub that is served without sites and without people."""

    def find_devices(self, scope: DeviceScope) -> frozenset[str] | None:
        """Return None: no site is known."""
        del scope
        return None

    def find_visible(self) -> VisibleDevices | None:
        """Return None: all devices."""
        return None
