"""Where a request comes from: pages of other sites may not use a browser that is signed in, or that runs here."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from edge_bridge.fleet.api.problems import ProblemRaised

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from edge_bridge.fleet.api.settings import ApiSettings

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_FOREIGN: Final = frozenset({"cross-site", "same-site"})  # of `Sec-Fetch-Site`, which a page cannot set


def check_host(connection: HTTPConnection, settings: ApiSettings) -> None:
    """On loopback refuse a name that is not this machine's: a page could point its own name here (DNS rebinding)."""
    if not settings.is_loopback:
        return  # there the certificate stands for the name
    name = _read_name(f"//{connection.headers.get('host', '')}")
    if name not in _LOOPBACK and name != settings.host:
        hint = f"use {settings.url}"
        raise ProblemRaised(HTTPStatus.MISDIRECTED_REQUEST, "host", "this host serves its own machine only", hint)


def check_origin(connection: HTTPConnection) -> None:
    """Refuse a change, or a WebSocket, that a page of another origin asks for. Programs send no origin."""
    origin, host = connection.headers.get("origin"), connection.headers.get("host", "")
    is_own = origin is None or urlsplit_netloc(origin) == host.lower()
    if not is_own or connection.headers.get("sec-fetch-site", "") in _FOREIGN:
        raise ProblemRaised(
            HTTPStatus.FORBIDDEN, "origin", "a page of another site sent this", "use the fleet's own page"
        )


def urlsplit_netloc(text: str) -> str | None:
    """Return host and port of an address, None for text that is none."""
    try:
        return urlsplit(text).netloc.lower()
    except ValueError:
        return None


def _read_name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
