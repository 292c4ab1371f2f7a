"""Read who has remote control of a supply, once before a session takes it, on a connection of its own."""

from __future__ import annotations

import socket
from typing import Final

from drivers.scpi import codec
from drivers.scpi import ea_psb10000 as page

WITHIN_S: Final = 1.0
_MOST: Final = 256


def read_owner(address: str, within_s: float = WITHIN_S) -> str:
    """Return the owner, one of `page.OWNERS`, of the supply at `host:port`; empty without a readable reply in time."""
    host, _, port = address.rpartition(":")
    received = b""
    try:
        with socket.create_connection((host, int(port)), within_s) as wire:
            wire.settimeout(within_s)
            wire.sendall(codec.message(page.LOCK_OWNER.ask()))
            while not received.endswith(b"\n") and len(received) < _MOST and (more := wire.recv(_MOST)):
                received += more
    except (OSError, ValueError):
        return ""
    owner = received.decode("ascii", "replace").strip()
    return owner if owner in page.OWNERS else ""
