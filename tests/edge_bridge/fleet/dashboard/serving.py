"""A served dashboard over a filled database, and its live hub; it can be stopped and served again."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from edge_bridge.fleet.api.app import make_app
from edge_bridge.fleet.api.context import ApiContext
from edge_bridge.fleet.api.live import make_live_router
from edge_bridge.fleet.api.server import serve_api
from edge_bridge.fleet.api.settings import ApiSettings
from edge_bridge.fleet.columns import COLUMN_NAMES
from edge_bridge.fleet.documents.sql_documents import SqlDocuments
from edge_bridge.fleet.fleet_thread import read_clocks
from edge_bridge.fleet.live.hub import LiveHub
from edge_bridge.fleet.people.people import People
from edge_bridge.fleet.row import StoredRow
from edge_bridge.fleet.store.fleet_reader import FleetReader
from edge_bridge.fleet.store.fleet_writer import FleetWriter
from edge_bridge.fleet.store.history import History
from fixtures.broker import find_port
from tests.edge_bridge.fleet.api.served import FakeHost
from tests.edge_bridge.fleet.dashboard.demo_fleet import BOOT, TRIPPED, make_values

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_bridge.fleet.twins.job_pool import JobPool


def read_now_ms() -> int:
    return time.time_ns() // 1_000_000


class ServedDashboard:
    """The API of one database; the test is its host."""

    def __init__(self, path: Path, *, has_people: bool = False) -> None:
        self.path, self.has_people = path, has_people
        self.settings = ApiSettings(port=find_port(), rate_per_s=1e6, burst=1_000_000)
        self.host, self.hub = FakeHost(), LiveHub("mqtt://demo")
        self.make_jobs: Callable[[], JobPool] | None = None  # in place of the pool with a real process
        self._serving = ExitStack()
        self._seq = 1_000_000

    @property
    def url(self) -> str:
        return f"{self.settings.url}/"

    def start(self) -> None:
        self.hub = LiveHub("mqtt://demo")
        reader, writer = FleetReader(self.path), FleetWriter(self.path)
        people = People(reader, writer, read_clocks) if self.has_people else None
        ports = (reader, History(self.path), writer, self.host, SqlDocuments(self.path), read_now_ms, self.settings)
        context = ApiContext(*ports, people=people)
        if self.make_jobs is not None:
            object.__setattr__(context, "jobs", self.make_jobs())
        self._serving.enter_context(serve_api(make_app(context, [make_live_router(self.hub)]), self.settings))

    def stop(self) -> None:
        self._serving.close()

    def send_row(self, node: str, **values: float) -> None:
        """Send a row of now over the live connection."""
        self._seq += 1
        verdict = "tripped" if node == TRIPPED else "allowed"
        now_ms = read_now_ms()
        known = dict(zip(COLUMN_NAMES, make_values(now_ms, node, verdict), strict=True)) | values
        filled = tuple(known[name] for name in COLUMN_NAMES)
        row = StoredRow(node, BOOT, self._seq, now_ms, historical=False, clock="", values=filled, gap=None)
        self.hub.handle_decoded([row], {})
