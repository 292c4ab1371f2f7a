"""The local fleet backend: a fleet session and our own broker on 127.0.0.1; implements `model.FleetBackend`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.extras import require

if TYPE_CHECKING:
    from edge_bridge.fleet.fleet_thread import FleetSession
    from workbench.window.fleet_page.model import OwnBroker


class LocalFleetBackend:
    """Opens fleets; imports MQTT, protobuf and SQLite with the first fleet, not with the window."""

    def __init__(self) -> None:
        self._session: FleetSession | None = None
        self._broker: OwnBroker | None = None
        self._home: tempfile.TemporaryDirectory[str] | None = None

    @property
    def broker_runs(self) -> bool:
        return self._broker is not None and self._broker.is_running

    def open(self, broker: str, database: Path) -> FleetSession:
        require("fleet", "the Fleet page")
        from edge_bridge.fleet.fleet_thread import FleetSession  # noqa: PLC0415  # see above

        self.leave()
        database.parent.mkdir(parents=True, exist_ok=True)
        self._session = FleetSession(broker, database)
        return self._session

    def leave(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def start_broker(self) -> str:
        require("fleet", "a broker on this machine")
        from workbench.compose.broker import start_own_broker  # noqa: PLC0415  # see above

        if self._broker is not None:
            if not self._broker.is_running:
                self._broker.stop()  # clean up after one that died
                self._broker.restart()  # on the port that the edges use
            return self._broker.url
        self._home = tempfile.TemporaryDirectory(prefix="pulsebms-broker-", ignore_cleanup_errors=True)
        self._broker = start_own_broker(Path(self._home.name))
        return self._broker.url

    def stop_broker(self) -> None:
        if self._broker is not None:
            self._broker.stop()
            self._broker = None
        if self._home is not None:
            self._home.cleanup()
            self._home = None

    def close(self) -> None:
        self.leave()
        self.stop_broker()
