"""Each request gets an id, which is in its answer and in every line of the log that it causes."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any, Final

from structlog.contextvars import bound_contextvars

from drivers.clock import monotonic

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from edge_bridge.fleet.structured_log import FleetLog

HEADER: Final = b"x-request-id"
_VALID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}", re.ASCII)
_FAILED: Final = 500


class RequestLog:
    """ASGI middleware around a whole app, so that failures have an id too.

    In a log of text only failures are written, because a dashboard asks every second.
    """

    def __init__(self, app: ASGIApp, log: FleetLog) -> None:
        self._app, self._log = app, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        request_id, began_s, status = read_request_id(scope), monotonic(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] in {"http.response.start", "websocket.accept"}:
                status = message.get("status", 101)
                headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != HEADER]
                message = {**message, "headers": [*headers, (HEADER, request_id.encode())]}
            await send(message)

        scope.setdefault("state", {})["request_id"] = request_id
        with bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                self._write(scope, status, round(1000.0 * (monotonic() - began_s), 1))

    def _write(self, scope: Scope, status: int, took_ms: float) -> None:
        """Write the path without its query, which may contain what only the client should know."""
        fields = {
            "method": scope.get("method", "WEBSOCKET"),
            "path": scope["path"],
            "status": status,
            "took_ms": took_ms,
        }
        if not status or status >= _FAILED:
            self._log.failure("request failed", **fields)
        elif self._log.is_json:
            self._log.event("request", **fields)


def find_request_id(scope: Scope) -> str:
    """Return the id that this request has in the log; without a log that of the client, or a new one."""
    known: Any = scope.get("state", {}).get("request_id")
    return known or read_request_id(scope)


def read_request_id(scope: Scope) -> str:
    """Return the id that the client sent, or a new one if it sent none or one of another form."""
    headers: list[Any] = scope["headers"]
    sent = next((value for name, value in headers if name == HEADER), b"")
    return sent.decode() if _VALID.fullmatch(sent) else uuid.uuid4().hex
