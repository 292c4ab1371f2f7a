"""The lowest serial that a trust folder still accepts of each bundle: what keeps an old one from coming back."""

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
    """By bundle name, empty without a file; raises `BundleRefused` (untrusted_folder) for one that is damaged."""
    found = read_state(trust / SERIALS, lambda rows: {name: _parse_accepted(row) for name, row in rows.items()})
    if isinstance(found, DamagedFile):
        hint = "restore it; without it an old bundle could come back"
        raise BundleRefused(found.sentence, where=str(trust), key="untrusted_folder", hint=hint)
    return {} if isinstance(found, MissingFile) else found


def remember(trust: Path, name: str, serial: int, sha256: str) -> None:
    """Refuse what is older from now on, in one step on disk; an older `serial` changes nothing. Raises `OSError`."""
    known = read_serials(trust)
    if name in known and known[name].serial >= serial:
        return
    rows = {each: asdict(row) for each, row in (known | {name: AcceptedBundle(serial, sha256)}).items()}
    write_state(trust / SERIALS, dict(sorted(rows.items())))


def _parse_accepted(row: Any) -> AcceptedBundle:
    return AcceptedBundle(read_whole(row, "serial"), read_text(row, "sha256"))
