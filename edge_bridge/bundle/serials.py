"""The lowest serial that an edge accepts of each bundle, so that no older bundle can be installed.

It is part of the state of an edge. Names of bundles are the same whatever their case.
"""

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


def read_serials(state: Path) -> dict[str, AcceptedBundle]:
    """Read them by `key_of` the bundle name, empty without a file; raise `BundleRefused` (damaged_state)."""
    return _read(state) or {}


def remember(state: Path, name: str, serial: int, sha256: str) -> None:
    """Refuse older serials from now on, in one step on disk; an older `serial` changes nothing. Raise `OSError`."""
    known = read_serials(state)
    key = key_of(name)
    if key in known and known[key].serial >= serial:
        return
    _write(state, known | {key: AcceptedBundle(serial, sha256)})


def take_over(trust: Path, state: Path) -> None:
    """Copy the serials that an earlier version kept in the trust folder, unless `state` has its own.

    Raise `BundleRefused` (damaged_state), `OSError`.
    """
    if _read(state) is None and (earlier := _read(trust)) is not None:
        _write(state, earlier)


def key_of(name: str) -> str:
    """Return the form in which names of bundles are compared."""
    return name.casefold()


def _read(folder: Path) -> dict[str, AcceptedBundle] | None:
    """Read the file in `folder`; None if there is none."""
    found = read_state(folder / SERIALS, _parse)
    if isinstance(found, DamagedFile):
        hint = "restore it; without it an older bundle could be installed"
        raise BundleRefused(found.sentence, where=str(folder), key="damaged_state", hint=hint)
    return None if isinstance(found, MissingFile) else found


def _write(folder: Path, rows: dict[str, AcceptedBundle]) -> None:
    write_state(folder / SERIALS, {name: asdict(row) for name, row in sorted(rows.items())})


def _parse(rows: dict[str, Any]) -> dict[str, AcceptedBundle]:
    """Return the rows; of two names that differ in case only, the higher serial counts."""
    found: dict[str, AcceptedBundle] = {}
    for name, row in rows.items():
        accepted, key = AcceptedBundle(read_whole(row, "serial"), read_text(row, "sha256")), key_of(name)
        if key not in found or found[key].serial < accepted.serial:
            found[key] = accepted
    return found
