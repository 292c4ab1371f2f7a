"""The file of a trip that has not been reset: a restart leaves the contactor open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.errors import Refused, Usage
from drivers.state_file import DamagedFile, MissingFile, read_state, read_text, remove, write_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class TripFile:
    """`reason` says why the contactor stays open, empty without a trip; an unreadable file counts as a trip."""

    def __init__(self, path: Path, log: Callable[[str], None]) -> None:
        self._path, self._log = path, log
        self._is_on_disk = True
        found = read_state(path, lambda fields: read_text(fields, "reason"))
        if isinstance(found, MissingFile):
            self.reason = ""
        elif isinstance(found, DamagedFile):
            self.reason = f"the contactor stays open: {found.sentence}"
            log(f"{self.reason}; once it is safe, restart with --reset-trip and the reason")
        else:
            self.reason = found
            log(f"a trip was not reset: {found}; once it is safe, restart with --reset-trip and the reason")

    def latch(self, reason: str) -> None:
        """Keep the first reason; if the disk does not accept it, log that and try again at the next `save`."""
        if not self.reason:
            self.reason, self._is_on_disk = reason, False
            self.save(first=True)

    def save(self, *, first: bool = False) -> None:
        """Write the reason if it is not on the disk yet."""
        if self._is_on_disk:
            return
        try:
            write_state(self._path, {"reason": self.reason})
        except OSError as error:
            if first:
                self._log(f"the trip could not be written ({error.strerror}): it would be lost at a restart")
        else:
            self._is_on_disk = True
            if not first:
                self._log("the trip is now written")


def check_reason(reason: str) -> None:
    """Raise `Usage` without a reason why a reset is safe."""
    if not reason.strip():
        raise Usage("a trip can only be reset with a reason", key="reset-trip", hint="give the reason why this is safe")


def reset_trip(path: Path, reason: str) -> None:
    """Reset the trip, also an unreadable one; raise what `check_reason` raises, and `Refused`."""
    check_reason(reason)
    try:
        remove(path)
    except OSError as error:
        what = f"cannot be removed: {error.strerror or error}; the trip is not reset"
        raise Refused(what, where=str(path), hint="give the edge permission to write to its folder") from error
