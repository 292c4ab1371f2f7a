"""`/live`: the events of the fleet over a WebSocket (docs/fleet-live.md)."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from edge_bridge.fleet.live.live_access import FullAccess
from edge_bridge.fleet.live.live_client import HEARTBEAT_S, UNREAD_S, ClientStalled, LiveClient
from edge_bridge.fleet.live.requests import MAX_MESSAGE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from fastapi import FastAPI
    from starlette.requests import HTTPConnection

    from edge_bridge.fleet.live.hub import LiveHub
    from edge_bridge.fleet.live.live_access import LiveAccess

MAX_CLIENTS: Final = 200
STALLED, TOO_MANY, FOREIGN = 4008, 1013, 1008  # close codes; those from 4000 on are ours
_ABORT_S: Final = 10.0


class LiveProtocol(WebSocketsSansIOProtocol):
    """A WebSocket whose close frame does not wait behind a client that reads nothing, and which then ends."""

    async def send(self, message: Any) -> None:
        is_stalled = message["type"] == "websocket.close" and not self.writable.is_set()
        if is_stalled:
            self.writable.set()
        await super().send(message)
        if is_stalled:
            self.loop.call_later(_ABORT_S, self.transport.abort)


WEBSOCKET_OPTIONS: Final[dict[str, Any]] = {  # for `uvicorn.Config`
    "ws": LiveProtocol,
    "ws_max_size": MAX_MESSAGE,
    "ws_per_message_deflate": False,  # it costs more than it saves on loopback and in a site's network
}


def make_live_router(
    hub: LiveHub,
    make_access: Callable[[HTTPConnection], LiveAccess] = lambda _connection: FullAccess(),
    *,
    max_clients: int = MAX_CLIENTS,
    unread_s: float = UNREAD_S,
    heartbeat_s: float = HEARTBEAT_S,
) -> APIRouter:
    """Make the router; `make_access` tells what the sender of a connection may see."""

    @asynccontextmanager
    async def attach(_app: FastAPI) -> AsyncGenerator[None]:
        hub.attach(asyncio.get_running_loop())
        yield
        hub.detach()

    router = APIRouter(lifespan=attach, tags=["live"])

    @router.websocket("/live")
    async def serve_live(socket: WebSocket) -> None:
        if not _is_own_origin(socket):
            await socket.close(FOREIGN)
            return
        await socket.accept()
        if hub.clients >= max_clients:
            await socket.close(TOO_MANY, "too many clients; try again later")
            return
        with suppress(WebSocketDisconnect):
            access = make_access(socket)
            client = LiveClient(hub, socket.send_text, access, unread_s=unread_s, heartbeat_s=heartbeat_s)
            try:
                await client.run(_make_receive(socket))
            except ClientStalled:
                await socket.close(STALLED, f"no message was read for {unread_s:g} s")

    return router


def _make_receive(socket: WebSocket) -> Callable[[], Any]:
    async def receive() -> str:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        return text if text is not None else bytes(message.get("bytes") or b"").decode("utf-8", "replace")

    return receive


def _is_own_origin(socket: WebSocket) -> bool:
    """Return whether a browser's page comes from here: pages of other origins could read the fleet otherwise."""
    origin = socket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == socket.headers.get("host", "")
