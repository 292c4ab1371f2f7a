"""The API of a fleet host, put together: a reader of its database, the host's port, the routes and their server."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge_bridge.fleet.api.app import make_app
from edge_bridge.fleet.api.context import ApiContext
from edge_bridge.fleet.api.metrics_route import make_metrics_router
from edge_bridge.fleet.api.request_log import RequestLog
from edge_bridge.fleet.api.server import serve_api
from edge_bridge.fleet.store.fleet_reader import FleetReader

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from prometheus_client import CollectorRegistry

    from edge_bridge.fleet.api.settings import ApiSettings
    from edge_bridge.fleet.process import FleetHost
    from edge_bridge.fleet.structured_log import FleetLog


@contextmanager
def open_api(
    fleet: FleetHost,
    store: Path | str,
    settings: ApiSettings,
    registry: CollectorRegistry | None = None,
    log: FleetLog | None = None,
) -> Generator[str]:
    """Serve the API of this host until the block ends; yield its address. Raise `Usage` if the port is in use.

    `registry` has the metrics for `/metrics`, `log` gets the requests.
    """
    context = ApiContext(FleetReader(store), fleet, settings)
    app = make_app(context)
    if registry is not None:
        app.include_router(make_metrics_router(registry))
    with serve_api(app if log is None else RequestLog(app, log), settings) as url:
        yield url
