"""The claim of the first administrator: the token in the file that `fleet init` wrote, good for one account."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.regular_file import read_regular
from edge_bridge.fleet.people.secrets import is_same

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST: Final = 1_000  # bytes


@dataclass(frozen=True, slots=True)
class ClaimFile:
    """The file; whoever reads it may become the administrator while there is no account."""

    path: Path

    def is_valid(self, token: str) -> bool:
        """Return whether the file holds this token; a missing, empty or damaged file holds none."""
        try:
            expected = read_regular(self.path, _LARGEST).decode("ascii").strip()
        except (OSError, ValueError):
            return False
        return bool(expected) and is_same(expected, token)

    def remove(self) -> None:
        """Remove the file after its use; if that fails it is worth nothing all the same, since there is an account."""
        with suppress(OSError):
            self.path.unlink()
