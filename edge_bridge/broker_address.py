"""The address of a broker: `mqtts://` with TLS anywhere, `mqtt://` without on this machine alone."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from drivers.errors import Usage
from edge_bridge.identity.identity_folder import open_identity

if TYPE_CHECKING:
    from pathlib import Path

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


def parse_address(url: str) -> tuple[str, int]:
    """Return host and port of `mqtts://HOST[:PORT]`, or of `mqtt://` on this machine; raise `Usage` for others."""
    hint = "write mqtts://HOST:PORT, or on this machine mqtt://127.0.0.1:1883"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port if parts.port is not None else _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise Usage(f"{url!r} is not the address of a broker: {error}", key="broker", value=url, hint=hint) from error
    rest = (parts.path.strip("/"), parts.query, parts.fragment, parts.username, parts.password)
    if parts.scheme not in _PORTS or not host or port == 0 or any(rest):
        raise Usage(f"{url!r} is not the address of a broker", key="broker", value=url, hint=hint)
    if not is_encrypted(url) and not is_loopback(host):
        what = f"{url} would send everything unprotected over the network"
        raise Usage(what, key="broker", value=url, bound="mqtts://", hint="use mqtts:// and --tls DIR of fleet init")
    return host, port


def is_encrypted(url: str) -> bool:
    """Return whether the address is one of TLS."""
    return urlsplit(url).scheme == "mqtts"


def is_loopback(host: str) -> bool:
    """Return whether a host, as written in an address, is this machine itself; no name but `localhost` is."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_protection(url: str, identity: Path | None) -> None:
    """Raise `Usage` or `Refused` for an address with TLS without an identity folder, or the other way round."""
    parse_address(url)
    if is_encrypted(url) and identity is None:
        hint = "add --tls DIR: the folder of fleet init, or that of this device"
        raise Usage(f"{url} needs the certificate of this machine", key="tls", value=url, hint=hint)
    if identity is not None:
        if not is_encrypted(url):
            hint = "write mqtts://, or leave out --tls"
            raise Usage(f"{url} does not use the certificate of --tls", key="tls", value=url, hint=hint)
        open_identity(identity)
