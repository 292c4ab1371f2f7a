"""The fleet behind an API, and a fleet of our own on 127.0.0.1; implements `model.FleetBackend`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.extras import require

if TYPE_CHECKING:
    from edge_bridge.fleet.client.remote_fleet import RemoteFleet
    from workbench.window.fleet_page.model import OwnBroker, OwnFleet


class LocalFleetBackend:
    """Connects to APIs; starts a broker and a host of ours as processes. Imports their clients with the first fleet."""

    def __init__(self) -> None:
        self._session: RemoteFleet | None = None
        self._broker: OwnBroker | None = None
        self._fleet: OwnFleet | None = None
        self._home: tempfile.TemporaryDirectory[str] | None = None

    @property
    def fleet_runs(self) -> bool:
        parts = (self._broker, self._fleet)
        return all(part is not None and part.is_running for part in parts)

    def open(self, address: str) -> RemoteFleet:
        require("fleet", "the Fleet page")
        from edge_bridge.fleet.client.remote_fleet import RemoteFleet  # noqa: PLC0415  # see above

        self.leave()
        self._session = RemoteFleet(address)
        return self._session

    def leave(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def start_fleet(self, database: Path) -> str:
        require("fleet", "a fleet on this machine")
        from workbench.compose.broker import start_own_broker  # noqa: PLC0415  # see above
        from workbench.compose.fleet_process import FleetProcess  # noqa: PLC0415

        if self._broker is None:
            self._home = tempfile.TemporaryDirectory(prefix="pulsebms-broker-", ignore_cleanup_errors=True)
            self._broker = start_own_broker(Path(self._home.name))
        elif not self._broker.is_running:
            self._broker.restart()  # on the port that the edges use
        database.parent.mkdir(parents=True, exist_ok=True)
        if self._fleet is not None and self._fleet.db != database:
            self._fleet.stop()
            self._fleet = None
        if self._fleet is None:
            self._fleet = FleetProcess(self._broker.url, database)
        elif not self._fleet.is_running:
            self._fleet.restart()  # at the address that the page uses
        return self._fleet.url

    def stop_fleet(self) -> None:
        for part in (self._fleet, self._broker):  # the host first: it commits and says that it is offline
            if part is not None:
                part.stop()
        self._fleet = self._broker = None
        if self._home is not None:
            self._home.cleanup()
            self._home = None

    def close(self) -> None:
        self.leave()
        self.stop_fleet()
