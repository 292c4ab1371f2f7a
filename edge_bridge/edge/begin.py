"""The start of an edge: what is installed, what is given, which of the two runs."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Final

from drivers.errors import BundleRefused, Interrupted, Usage
from drivers.state_file import DamagedFile
from edge_bridge.edge.trial import Candidate, Trial

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from edge_bridge.edge.keeper import Keeper
    from edge_bridge.edge.settings import Settings

_LOOK_S: Final = 0.05


def begin(
    keeper: Keeper, settings: Settings, now: datetime, stop: Callable[[], bool], say: Callable[[str], None]
) -> None:
    """Let a configuration run; raises `BundleRefused` for a given one that may not, `Usage`, `CheckFailed`."""
    keeper.begin()
    given = None if settings.bundle is None else _given(settings)
    if given is None or not _is_new(given, keeper, say):
        keeper.resume(time.monotonic())
        return
    try:
        _tried(Candidate(given, settings.trust, now, settings.allow_sim), stop)
        keeper.accept(given, now, time.monotonic())
    except BundleRefused as error:
        if error.key != "older_serial" or keeper.slots.pointer.active is None:
            raise
        say(f"{settings.bundle} {error.sentence}; what the fleet has installed since goes on")
    if not keeper.is_running:
        keeper.resume(time.monotonic())


def _given(settings: Settings) -> bytes:
    path = settings.bundle
    assert path is not None  # noqa: S101  # asked by the caller
    try:
        return path.read_bytes()
    except OSError as error:
        raise Usage(f"cannot be read: {error.strerror}", where=str(path), key="bundle", hint="name a bundle") from error


def _is_new(data: bytes, keeper: Keeper, say: Callable[[str], None]) -> bool:
    sha256, pointer = hashlib.sha256(data).hexdigest(), keeper.slots.pointer
    if pointer.active is not None and pointer.active.sha256 == sha256:
        return False
    given_up = keeper.slots.given_up()
    if pointer.good is not None and isinstance(given_up, DamagedFile):
        say(f"{given_up.sentence}: bundle {sha256[:12]} may have been given up here; remove the file to install it")
        return False
    if pointer.good is not None and not isinstance(given_up, DamagedFile) and sha256 in given_up:
        say(f"bundle {sha256[:12]} did not prove healthy here before; it is not installed again")
        return False
    return True


def _tried(candidate: Candidate, stop: Callable[[], bool]) -> None:
    """Wait for its trial; raises `BundleRefused`, or `Interrupted` where a stop was asked first."""
    trial = Trial(candidate, time.monotonic())
    try:
        while not trial.done(time.monotonic()):
            if stop():
                raise Interrupted("left before the bundle was tried; nothing was installed")
            time.sleep(_LOOK_S)
    finally:
        trial.close()
    if trial.refusal is not None:
        raise trial.refusal
