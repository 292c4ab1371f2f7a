"""The lowest serial that a trust folder accepts of each bundle, so that no older bundle can be installed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import BundleRefused
from drivers.state_file import DamagedFile, MissingFile, read_state, read_text, read_whole, write_state

if TYPE_CHECKING:
    from pathlib import Path

SERIALS: Final = "serials.json"


@dataclass(frozen=True)
class AcceptedBundle:
    """The newest bundle of a name that proved healthy."""

    serial: int
    sha256: str


def read_serials(trust: Path) -> dict[str, AcceptedBundle]:
    """Read them by bundle name, empty without a file; raise `BundleRefused` (untrusted_folder) for a damaged file."""
    found = read_state(trust / SERIALS, lambda rows: {name: _parse_accepted(row) for name, row in rows.items()})
    if isinstance(found, DamagedFile):
        hint = "restore it; without it an older bundle could be installed"
        raise BundleRefused(found.sentence, where=str(trust), key="untrusted_folder", hint=hint)
    return {} if isinstance(found, MissingFile) else found


def remember(trust: Path, name: str, serial: int, sha256: str) -> None:
    """Refuse older serials from now on, in one step on disk; an older `serial` changes nothing. Raise `OSError`."""
    known = read_serials(trust)
    if name in known and known[name].serial >= serial:
        return
    rows = {each: asdict(row) for each, row in (known | {name: AcceptedBundle(serial, sha256)}).items()}
    write_state(trust / SERIALS, dict(sorted(rows.items())))


def _parse_accepted(row: Any) -> AcceptedBundle:
    return AcceptedBundle(read_whole(row, "serial"), read_text(row, "sha256"))
