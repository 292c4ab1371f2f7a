"""The configuration of a bundle that was verified when it was uploaded: pack, cell and estimator."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from edge_bridge.bundle import envelope
from edge_bridge.bundle.archive import unpack
from edge_bridge.bundle.manifest import Bundle, decode_manifest
from edge_bridge.bundle.runtime import configure

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from edge_bridge.bundle.runtime import Configuration


@contextmanager
def open_bundle(data: bytes) -> Generator[Callable[[], Configuration]]:
    """Yield what makes its configuration, each time with an estimator at its start. Raise `PulseError`, `OSError`."""
    members = unpack(data)
    signed = envelope.decode_envelope(members.pop(envelope.ENVELOPE))
    bundle = Bundle(decode_manifest(signed.payload), members)
    with TemporaryDirectory(prefix="pulse-twin-") as folder:
        yield lambda: configure(bundle, Path(folder))
