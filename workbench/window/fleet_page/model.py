"""Interfaces that the Fleet page uses of a fleet behind an API and of one on this machine, without Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.fleet.view import FleetView


class FleetClient(Protocol):
    """An open fleet; implemented by `edge_bridge.fleet.client.remote_fleet.RemoteFleet`."""

    @property
    def broker(self) -> str:
        """The broker of the fleet, for an edge's command."""
        ...

    def snapshot(self) -> FleetView:
        """Return the last view; raise `PulseError` if the fleet has failed."""
        ...

    def read_silence(self) -> tuple[float, str]:
        """Return for how many s the API has been silent and why; 0 while it answers."""
        ...

    @property
    def is_refused(self) -> bool:
        """Whether the API is silent because it does not know this person any more."""
        ...

    def send_bundle(self, path: Path, node: str) -> None:
        """Begin to send a bundle to a node; raise `PulseError`."""
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


class OwnFleet(Protocol):
    """Our own host process; implemented by `workbench.compose.fleet_process.FleetProcess`."""

    db: Path

    @property
    def url(self) -> str:
        """The address of its API."""
        ...

    @property
    def is_running(self) -> bool: ...

    def restart(self) -> None:
        """Start again at the same address; raise `PulseError`."""
        ...

    def stop(self) -> None:
        """Commit and end it."""
        ...


class FleetBackend(Protocol):
    """Connects to fleets and starts our own. All but the property may take seconds; one thread calls it."""

    @property
    def fleet_runs(self) -> bool:
        """Whether our own fleet runs, its broker and its host."""
        ...

    def open(self, address: str) -> FleetClient:
        """Connect to the API at `address` in place of one that was open; raise `PulseError`."""
        ...

    def leave(self) -> None:
        """Disconnect; our own fleet runs on."""
        ...

    def start_fleet(self, database: Path) -> str:
        """Start our own fleet, or what of it has ended; return its address. Raise `PulseError`."""
        ...

    def stop_fleet(self) -> None: ...

    def close(self) -> None:
        """Disconnect and stop our own fleet."""
        ...
