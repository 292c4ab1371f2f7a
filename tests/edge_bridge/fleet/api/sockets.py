"""A WebSocket to the app itself, without a server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from tests.edge_bridge.fleet.api.served import HOST


@dataclass
class Socket:
    """A WebSocket to the app itself."""

    task: asyncio.Task[None]
    sent: asyncio.Queue[Any]
    received: asyncio.Queue[Any]

    async def receive(self) -> Any:
        return await asyncio.wait_for(self.received.get(), 30.0)

    async def echo(self, text: str) -> Any:
        self.sent.put_nowait({"type": "websocket.receive", "text": text})
        return await self.receive()

    async def close(self) -> None:
        self.sent.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait([self.task], timeout=30.0)


def open_socket(app: Any, path: str = "/api/v1/echo", **headers: str) -> Socket:
    sent, received = asyncio.Queue[Any](), asyncio.Queue[Any]()
    sent.put_nowait({"type": "websocket.connect"})
    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "ws",
        "headers": [(b"host", HOST.encode()), *((k.lower().encode(), v.encode()) for k, v in headers.items())],
        "client": ("127.0.0.1", 1),
        "subprotocols": [],
    }
    return Socket(asyncio.create_task(app(scope, sent.get, received.put)), sent, received)
