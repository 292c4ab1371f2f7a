"""The live messages of a fleet: reconnects by itself and resumes behind the last message."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect

from edge_bridge.fleet.client.rest import make_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from websockets.sync.client import ClientConnection

    from edge_bridge.fleet.client.rest import ApiAddress

OPEN_S: Final = 5.0
QUIET_S: Final = 15.0  # three heartbeats: a connection without one is dead
LOOK_S: Final = 0.2  # how soon `close` ends a feed
RETRY_S: Final = (0.2, 0.5, 1.0, 2.0)  # the last one again and again
MAX_MESSAGE: Final = 64 << 20  # bytes
REFUSED: Final = "the fleet answers, but you are not signed in there, or have no role at all of its sites"
_REFUSALS: Final = (401, 403)


@dataclass(frozen=True, slots=True)
class FeedLost:
    """The connection is lost; the feed connects again. `is_refused`: the fleet answers, but not to this person."""

    reason: str
    is_refused: bool = False


class LiveFeed:
    """Iterate over `messages`, in one thread; `close` may be called from another one."""

    def __init__(self, address: ApiAddress, *, now_s: Callable[[], float], **subscription: Any) -> None:
        """`subscription` are the fields of a subscribe message, for instance `devices` and `metrics`."""
        self._address, self._now_s = address, now_s
        self._subscription = {"type": "subscribe", "id": "feed", **subscription}
        self._closing = threading.Event()
        self.cursor: str | None = subscription.get("from_cursor")

    def close(self) -> None:
        """End the feed within a moment."""
        self._closing.set()

    def messages(self) -> Generator[Mapping[str, Any] | FeedLost]:
        """Yield each message of the server, and `FeedLost` for each connection that could not be made or is lost."""
        tries = 0
        while not self._closing.is_set():
            is_refused = False
            try:
                with connect(
                    self._address.live_url,
                    proxy=None,
                    compression=None,
                    open_timeout=OPEN_S,
                    max_size=MAX_MESSAGE,
                    additional_headers=make_headers(),
                ) as connection:
                    for message in self._receive(connection):
                        tries = 0
                        yield message
                reason = "it was silent"
            except InvalidStatus as error:
                is_refused = error.response.status_code in _REFUSALS
                reason = REFUSED if is_refused else str(error)
            except (OSError, WebSocketException, ValueError) as error:
                reason = str(error) or type(error).__name__
            if not self._closing.is_set():
                yield FeedLost(reason, is_refused)
                self._closing.wait(RETRY_S[min(tries, len(RETRY_S) - 1)])
                tries += 1

    def _receive(self, connection: ClientConnection) -> Generator[Mapping[str, Any]]:
        """Subscribe, and yield messages until the feed is closed or the server is silent."""
        connection.send(json.dumps({**self._subscription, "from_cursor": self.cursor}))
        heard_s = self._now_s()
        while not self._closing.is_set() and self._now_s() - heard_s < QUIET_S:
            try:
                message = json.loads(connection.recv(LOOK_S))
            except TimeoutError:
                continue
            heard_s = self._now_s()
            if message["type"] in {"subscribed", "data", "gap"}:
                self.cursor = message["cursor"]
            yield message
