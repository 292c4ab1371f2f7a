"""What one client may cost: the size of a request, and requests at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_bridge.fleet.api.problems import make_response
from edge_bridge.fleet.api.settings import MAX_BODY_BYTES, MAX_BUNDLE_BYTES

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _TooLargeError(Exception):
    """A body that is too large."""


class RequestLimits:
    """ASGI middleware: 413 for a body that is too large, 429 for more than `most` requests at the same time."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app, self._most, self._running = app, most, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._running >= self._most:
            words = f"{self._most} requests are being answered already"
            await make_response(429, "too-many-requests", words, headers={"Retry-After": "1"})(scope, receive, send)
            return
        self._running += 1
        try:
            await self._answer(scope, receive, send)
        finally:
            self._running -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        most = MAX_BUNDLE_BYTES if scope["path"].rstrip("/").endswith("/bundles") else MAX_BODY_BYTES
        received, has_begun = 0, False

        async def receive_bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise _TooLargeError
            return message

        async def send_noted(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        too_large = make_response(413, "too-large", f"a body has up to {most} bytes", headers={"Connection": "close"})
        if _read_length(scope) > most:
            await too_large(scope, receive, send)
            return
        try:
            await self._app(scope, receive_bounded, send_noted)
        except _TooLargeError:
            if has_begun:
                raise
            await too_large(scope, receive, send)


def _read_length(scope: Scope) -> int:
    headers: list[Any] = scope["headers"]
    text = next((value for name, value in headers if name == b"content-length"), b"0")
    return int(text) if text.isdigit() else 0
