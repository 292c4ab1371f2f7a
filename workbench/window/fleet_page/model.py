"""Interfaces that the Fleet page uses of a fleet and of a broker, without Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.fleet.view import FleetView


class FleetClient(Protocol):
    """An open fleet; implemented by `edge_bridge.fleet.fleet_thread.FleetSession`."""

    def snapshot(self) -> FleetView:
        """Return the current view; raise `PulseError` if the fleet has failed."""
        ...

    def send_bundle(self, path: Path, node: str) -> None:
        """Begin to send a bundle to a node; raise `Usage`."""
        ...


class OwnBroker(Protocol):
    """Our own broker process; `workbench.compose.broker.start_own_broker` makes one."""

    @property
    def url(self) -> str: ...

    @property
    def is_running(self) -> bool: ...

    def restart(self) -> None:
        """Start again on the same port; raise `BrokerMissing`."""
        ...

    def stop(self) -> None: ...


class FleetBackend(Protocol):
    """Opens fleets and our own broker. All but the properties may take seconds; one thread calls it."""

    @property
    def broker_runs(self) -> bool:
        """Whether our own broker answers."""
        ...

    def open(self, broker: str, database: Path) -> FleetClient:
        """Open a fleet in place of one that was open; raise `PulseError`."""
        ...

    def leave(self) -> None:
        """Commit and disconnect."""
        ...

    def start_broker(self) -> str:
        """Start our own broker; return its URL, the same as before if there was one. Raise `PulseError`."""
        ...

    def stop_broker(self) -> None: ...

    def close(self) -> None:
        """Disconnect and stop the broker."""
        ...
