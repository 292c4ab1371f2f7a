"""The API in a thread of its own, beside the fleet host in the same process."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import uvicorn

from drivers.errors import Refused, Usage
from edge_bridge.fleet.api.live import WEBSOCKET_OPTIONS
from edge_bridge.identity.identity_folder import find_trouble, open_identity

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from starlette.types import ASGIApp

    from edge_bridge.fleet.api.settings import ApiSettings

CLOSE_S: Final = 3  # for answers that are being sent when the fleet ends
KEEP_ALIVE_S: Final = 30


class ApiServer(uvicorn.Server):
    """A server that says when it has started."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.has_begun = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.has_begun.set()


@contextmanager
def serve_api(app: ASGIApp, settings: ApiSettings) -> Generator[str]:
    """Serve until the block ends; yield the address. Raise `Usage` if the port is in use."""
    identity = None if settings.identity is None else _check_identity(settings.identity)
    listening = _listen(settings)
    config = uvicorn.Config(
        app,
        log_config=None,  # the log is the fleet's
        access_log=False,
        server_header=False,
        proxy_headers=False,  # else a client on loopback chooses the address that its attempts are counted by
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=CLOSE_S,
        ssl_certfile=identity,
        ssl_keyfile=identity,
        **WEBSOCKET_OPTIONS,
    )
    server = ApiServer(config)
    thread = threading.Thread(target=server.run, args=([listening],), name="fleet-api", daemon=True)
    thread.start()
    try:
        server.has_begun.wait()
        yield settings.url
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def check_port(settings: ApiSettings) -> None:
    """Raise `Usage` if the port is in use now, before anything slow is begun."""
    _listen(settings).close()


def _check_identity(file: Path) -> Path:
    """Return the file with certificate and key; raise `Usage` or `Refused` for one that no server may use."""
    trouble = find_trouble(open_identity(file.parent).certificate)
    if trouble:
        raise Refused(trouble, where=str(file), key="tls", hint="run: fleet init DIR --renew")
    return file


def _listen(settings: ApiSettings) -> socket.socket:
    try:
        ((family, *_, address), *_) = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        # create_server adds the address to the words of the system
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or error
        what = f"{settings.url} cannot be opened: {why}"
        raise Usage(what, key="api", value=settings.port, hint="choose another port") from error
