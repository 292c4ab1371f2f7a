"""The page `/metrics` that Prometheus scrapes, on a port of its own."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from prometheus_client import start_http_server

from drivers.errors import Usage

if TYPE_CHECKING:
    from collections.abc import Generator

    from prometheus_client import CollectorRegistry

HOST: Final = "127.0.0.1"
PORTS: Final = range(1024, 65_536)  # the system's own ports lie below
_HINT: Final = "write PORT or HOST:PORT, for instance --metrics 9464"


def parse_metrics_address(text: str) -> tuple[str, int]:
    """Return host and port of `[HOST:]PORT`; raise `Usage`."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if colon else HOST
    if not host or not (port.isascii() and port.isdigit() and len(port) < len("100000") and int(port) in PORTS):
        bound = [PORTS.start, PORTS.stop - 1]
        raise Usage(f"{text!r} has no valid port", key="metrics", value=text, bound=bound, hint=_HINT)
    return host, int(port)


@contextmanager
def serve_metrics(registry: CollectorRegistry, address: tuple[str, int]) -> Generator[str]:
    """Serve the metrics until the block ends; yield the address of the page. Raise `Usage` if the port is in use."""
    host, port = address
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        what = f"the metrics cannot be served on {host}:{port}: {error.strerror or error}"
        raise Usage(what, key="metrics", value=port, hint="choose another port") from error
    try:
        yield f"http://{f'[{host}]' if ':' in host else host}:{port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
