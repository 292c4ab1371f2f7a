"""A fleet behind an API, for a window that reads it a few times a second: its thread follows the live messages."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from drivers.clock import monotonic
from drivers.errors import Refused
from edge_bridge.fleet.bundle_transfer import read_bundle
from edge_bridge.fleet.client.live_feed import FeedLost, LiveFeed
from edge_bridge.fleet.client.mirror import FleetMirror
from edge_bridge.fleet.client.rest import TOKEN, FleetRest, make_missing, parse_api_address

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.fleet.view import FleetView

READY_S: Final = 10.0
MAX_RATE_HZ: Final = 10.0  # the window reads no more often


class RemoteFleet:
    """The session of a window with an API. Only the start, `send_bundle` and `close` block."""

    def __init__(self, address: str) -> None:
        """`address` is http://HOST:PORT. Raise `Usage` for another text, `ApiMissing` if no fleet answers there.

        Raise `Refused` if it answers, but not to this person.
        """
        self._address = parse_api_address(address)
        self._rest = FleetRest(self._address)
        self._rest.read("/health/live")
        self._mirror, self._lock = FleetMirror(), threading.Lock()
        self._ready = threading.Event()
        self._lost_s: float | None = monotonic()
        self._reason, self._is_refused = "it does not answer", False
        self._feed = LiveFeed(self._address, now_s=monotonic, overview=True, max_rate_hz=MAX_RATE_HZ)
        self._thread = threading.Thread(target=self._follow, name="fleet feed", daemon=True)
        self._thread.start()
        is_ready = self._ready.wait(READY_S)
        if self._is_refused:
            self.close()
            hint = f"make an API token in the fleet, set {TOKEN} to it and start this program again"
            raise Refused(f"{self._address.url}: {self._reason}", key="address", value=self._address.url, hint=hint)
        if not is_ready:
            self.close()
            raise make_missing(self._address, self._reason)

    @property
    def broker(self) -> str:
        """The address of the broker, as the host knows it."""
        return self._mirror.broker

    def snapshot(self) -> FleetView:
        """Return the fleet as last told."""
        with self._lock:
            return self._mirror.make_view()

    def read_silence(self) -> tuple[float, str]:
        """Return for how many s the API has been silent and why; 0 while it answers."""
        lost_s = self._lost_s
        return (0.0, "") if lost_s is None else (max(monotonic() - lost_s, 1e-3), self._reason)

    @property
    def is_refused(self) -> bool:
        """Whether the API is silent because it does not know this person any more."""
        return self._is_refused

    def send_bundle(self, path: Path, node: str) -> None:
        """Send the file to a known node; raise `Usage`, `Refused` or `ApiMissing`."""
        self._rest.send_bundle(read_bundle(path), node)

    def close(self) -> None:
        """Disconnect and end the thread. A second call does nothing."""
        self._feed.close()
        self._thread.join()

    def _follow(self) -> None:
        for message in self._feed.messages():
            if isinstance(message, FeedLost):
                self._reason, self._is_refused = message.reason, message.is_refused
                if message.is_refused:
                    self._ready.set()
                if self._lost_s is None:
                    self._lost_s = monotonic()
                continue
            self._apply(message)

    def _apply(self, message: Any) -> None:
        with self._lock:
            self._mirror.apply(message, time.time_ns() // 1_000_000)
            is_ready = self._mirror.is_ready
        if message["type"] == "overview":
            self._lost_s, self._is_refused = None, False
        if is_ready:
            self._ready.set()
