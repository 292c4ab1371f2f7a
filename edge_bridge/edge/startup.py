"""The start of an edge: run the installed bundle, or install the bundle that the settings name."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Final

from drivers.clock import monotonic
from drivers.errors import BundleRefused, Interrupted, Usage
from drivers.regular_file import open_regular
from drivers.state_file import DamagedFile
from edge_bridge.bundle import serials
from edge_bridge.bundle.archive import MAX_BYTES
from edge_bridge.edge.verify_process import VerifyProcess

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from edge_bridge.edge.installer import BundleInstaller
    from edge_bridge.edge.settings import EdgeSettings
    from edge_bridge.edge.verify_process import Candidate

_POLL_S: Final = 0.05


def start_configuration(
    installer: BundleInstaller,
    settings: EdgeSettings,
    now: datetime,
    stop: Callable[[], bool],
    log: Callable[[str], None],
) -> None:
    """Start a configuration; raise `BundleRefused` if the given bundle may not run, `Usage`, `CheckFailed`."""
    serials.take_over(settings.trust, settings.state)
    installer.count_start()
    data = None if settings.bundle is None else _read_bundle(settings)
    if data is None or not _is_new(data, installer, log):
        installer.resume(monotonic())
        return
    try:
        _verify_candidate(installer.make_candidate(data, now), stop)
        installer.install(data, now, monotonic())
    except BundleRefused as error:
        if error.key != "older_serial" or installer.slots.pointer.active is None:
            error.where = error.where or str(settings.bundle)
            raise
        log(f"{settings.bundle} {error.sentence}; the bundle that the fleet has installed since then keeps running")
    if not installer.is_running:
        installer.resume(monotonic())


def _read_bundle(settings: EdgeSettings) -> bytes:
    path = settings.bundle
    assert path is not None  # noqa: S101  # the caller checked it
    try:
        with open_regular(path) as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Usage(
            f"cannot be read: {error.strerror}", where=str(path), key="bundle", hint="name a bundle file"
        ) from error


def _is_new(data: bytes, installer: BundleInstaller, log: Callable[[str], None]) -> bool:
    sha256, pointer = hashlib.sha256(data).hexdigest(), installer.slots.pointer
    if pointer.active is not None and pointer.active.sha256 == sha256:
        return False
    failed = installer.slots.read_failed_hashes()
    if pointer.good is not None and isinstance(failed, DamagedFile):
        log(f"{failed.sentence}: bundle {sha256[:12]} may have failed here before; remove the file to install it")
        return False
    if pointer.good is not None and not isinstance(failed, DamagedFile) and sha256 in failed:
        log(f"bundle {sha256[:12]} failed here before; it is not installed again")
        return False
    return True


def _verify_candidate(candidate: Candidate, stop: Callable[[], bool]) -> None:
    """Verify in a process and wait; raise `BundleRefused`, or `Interrupted` if a stop was requested first."""
    process = VerifyProcess(candidate, monotonic())
    try:
        while not process.is_done(monotonic()):
            if stop():
                raise Interrupted("stopped before the bundle was verified; nothing was installed")
            time.sleep(_POLL_S)
    finally:
        process.close()
    if process.refusal is not None:
        raise process.refusal
