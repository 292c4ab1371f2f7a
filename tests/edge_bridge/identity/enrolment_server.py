"""The enrolment routes over HTTPS on this machine, with the certificate of `fleet init`."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from drivers.errors import PulseError
from edge_bridge.fleet.api.enrolment import make_enrolment_router
from tests.mosquitto import HOST, find_port
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from starlette.requests import Request


def make_app(folder: Path) -> FastAPI:
    """Make an app that answers an error as the fleet's does."""
    app = FastAPI()
    app.include_router(make_enrolment_router(folder), prefix="/api/v1")

    @app.exception_handler(PulseError)
    def answer(_request: Request, error: PulseError) -> JSONResponse:
        return JSONResponse({"detail": error.sentence, "hint": error.hint}, 409)

    del answer
    return app


@contextmanager
def serve_enrolment(folder: Path, identity: Path | None = None) -> Generator[str]:
    """Yield the address of the server; `identity` is the folder of its certificate."""
    port, file = find_port(), str((identity or folder / "api") / "identity.pem")
    config = uvicorn.Config(
        make_app(folder),
        HOST,
        port,
        ssl_certfile=file,
        ssl_keyfile=file,
        log_level="error",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="enrolment")
    thread.start()
    try:
        wait_until(lambda: server.started, what="the server")
        yield f"https://{HOST}:{port}"
    finally:
        server.should_exit = True
        thread.join()
