"""The source of the fleet's broker: one that already runs, or one of ours on 127.0.0.1."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drivers.errors import Usage
from edge_bridge.broker_address import check_protection, parse_address
from edge_bridge.identity.identity_folder import IDENTITY
from edge_bridge.identity.initial_setup import read_fleet_folder
from fixtures.broker import PORTS, Broker, find_port, list_kinds, start_broker

if TYPE_CHECKING:
    from collections.abc import Generator

LOCAL: Final = "local"


def choose_broker(text: str, identity: Path | None) -> str:
    """Return the broker that is named, or that of the folder of `fleet init`; raise `Usage` or `Refused`."""
    if not text:
        folder = identity or Path()
        if (folder / IDENTITY).exists():
            raise Usage("names no broker", where=str(folder), key="broker", hint="add --broker mqtts://HOST:PORT")
        text = read_fleet_folder(folder).broker_url
    if not is_local(text):
        check_protection(text, identity)
    return text


def is_local(text: str) -> bool:
    """Return whether the text asks for a broker of ours, which has no TLS."""
    return text.partition(":")[0] == LOCAL


@contextmanager
def open_broker(text: str) -> Generator[str]:
    """Yield the URL that `text` means; `local` or `local:PORT` starts a broker and stops it at the end.

    Raise `Usage` for any other text that is no URL, `BrokerMissing` if no broker can be started.
    """
    name, colon, port = text.partition(":")
    if name != LOCAL:
        parse_address(text)
        yield text
        return
    chosen = _parse_port(text, port) if colon else 0
    with tempfile.TemporaryDirectory(prefix="pulsebms-broker-") as folder:
        broker = start_broker(Path(folder), chosen)
        try:
            yield broker.url
        finally:
            broker.stop()


def start_own_broker(folder: Path, kind: str | None = None) -> Broker:
    """Start a broker of ours on a free port, which may be killed and restarted; raise `BrokerMissing`."""
    return start_broker(folder, kind=kind)


def has_mosquitto() -> bool:
    """Return whether this machine can start the system's mosquitto."""
    return "mosquitto" in list_kinds()


def find_free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses now; raise `BrokerMissing`."""
    return find_port()


def _parse_port(text: str, port: str) -> int:
    """Return the port; raise `Usage` if it is not a port that a user may open."""
    if not (port.isascii() and port.isdigit() and 1024 <= int(port) < 65_536):  # noqa: PLR2004  # the system's below
        hint = f"write local, or local:{PORTS.start}"
        raise Usage(f"{text!r} has no valid port", key="broker", value=text, bound=[1024, 65_535], hint=hint)
    return int(port)
