"""Where the API listens, and what it accepts."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.errors import Usage
from edge_bridge.identity.identity_folder import IDENTITY

if TYPE_CHECKING:
    from pathlib import Path

HOST: Final = "127.0.0.1"
PORTS: Final = range(1024, 65_536)  # the system's own ports lie below
MAX_BODY_BYTES: Final = 256 << 10
MAX_BUNDLE_BYTES: Final = 16 << 20
MAX_REQUESTS: Final = 64  # that are answered at the same time
RATE_PER_S: Final = 100.0  # requests of one client
BURST: Final = 500
FOLDER: Final = "api"  # in the folder of `fleet init`
_HINT: Final = "write PORT or 127.0.0.1:PORT, for instance --api 8080"


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """The settings of one API. `identity`: its certificate and key in one file; without it only loopback is allowed."""

    host: str = HOST
    port: int = 8080
    max_requests: int = MAX_REQUESTS
    rate_per_s: float = RATE_PER_S
    burst: int = BURST
    identity: Path | None = None

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.host)

    @property
    def cookie(self) -> str:
        """The name of the session's cookie; a browser takes `__Host-` from this very host alone, and over TLS."""
        return "pulsebms" if self.is_loopback else "__Host-pulsebms"

    @property
    def url(self) -> str:
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'http' if self.identity is None else 'https'}://{shown}:{self.port}"


def parse_listen(text: str, tls: Path | None = None) -> ApiSettings:
    """Return the settings that `[HOST:]PORT` means; `tls` is the folder of `fleet init`. Raise `Usage`."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if colon else HOST
    if not (port.isascii() and port.isdigit() and len(port) < len("100000") and int(port) in PORTS):
        raise Usage(
            f"{text!r} has no valid port", key="api", value=text, bound=[PORTS.start, PORTS.stop - 1], hint=_HINT
        )
    identity = None if tls is None or not (tls / FOLDER / IDENTITY).exists() else tls / FOLDER / IDENTITY
    if not host or (identity is None and not is_loopback(host)):
        what = f"{host!r} is not a loopback address, and the API has no certificate"
        raise Usage(what, key="api", value=text, hint=f"{_HINT}, or add --tls DIR, the folder of fleet init")
    return ApiSettings(host, int(port), identity=identity)


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches the address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
