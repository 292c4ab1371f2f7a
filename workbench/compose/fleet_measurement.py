"""The metrics of a fleet host and its database, put together; nothing of them is loaded where nobody asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import ExitStack
    from pathlib import Path

    from prometheus_client import CollectorRegistry

    from edge_bridge.fleet.metrics_export import HostMetrics


@dataclass(frozen=True, slots=True)
class FleetMeasurement:
    """The meter of a host, None if nobody measures, and the address of a page for it alone."""

    meter: HostMetrics | None = None
    address: tuple[str, int] | None = None

    @classmethod
    def make(cls, api: str, metrics_on: str) -> FleetMeasurement:
        """Make the meter if one of the two serves it; raise `Usage` for an address that is none."""
        if not api and not metrics_on:
            return cls()
        from edge_bridge.fleet.metrics_export import HostMetrics  # noqa: PLC0415  # see above
        from edge_bridge.metrics_server import parse_metrics_address  # noqa: PLC0415

        return cls(HostMetrics(), parse_metrics_address(metrics_on) if metrics_on else None)

    @property
    def registry(self) -> CollectorRegistry | None:
        return None if self.meter is None else self.meter.registry

    def open(self, serving: ExitStack, store: Path | str, identity: Path | None = None) -> Generator[str]:
        """Add the metrics of the database, which is open now, and serve the page; yield lines for the log.

        `identity` is the folder of the host's certificate, if it has one.
        """
        if self.meter is None:
            return
        from edge_bridge.fleet.database_metrics import DatabaseCollector  # noqa: PLC0415
        from edge_bridge.fleet.store.fleet_reader import FleetReader  # noqa: PLC0415
        from edge_bridge.metrics_server import serve_metrics  # noqa: PLC0415

        reader = FleetReader(store)
        serving.callback(reader.close)
        self.meter.registry.register(DatabaseCollector(reader, store))
        if identity is not None:
            from edge_bridge.fleet.certificate_metrics import CertificateCollector  # noqa: PLC0415

            self.meter.registry.register(CertificateCollector(identity))
        if self.address is not None:
            yield f"metrics  {serving.enter_context(serve_metrics(self.meter.registry, self.address))}"
