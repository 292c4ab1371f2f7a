"""The lowest serial that a trust folder still accepts of each bundle: what keeps an old one from coming back."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from drivers.errors import BundleRefused
from edge_bridge.bundle import canonical

if TYPE_CHECKING:
    from pathlib import Path

SERIALS: Final = "serials.json"


@dataclass(frozen=True)
class Accepted:
    """The newest bundle of a name that proved healthy."""

    serial: int
    sha256: str


def read(trust: Path) -> dict[str, Accepted]:
    """By bundle name, empty without a file; raises `BundleRefused` (untrusted_folder) for one that is damaged."""
    path = trust / SERIALS
    try:
        said: Any = canonical.parsed(path.read_bytes())
        return {str(name): _accepted(row) for name, row in cast("dict[str, Any]", said).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        hint = "restore it; without it an old bundle could come back"
        raise BundleRefused(f"cannot be read: {error}", where=str(path), key="untrusted_folder", hint=hint) from error


def remember(trust: Path, name: str, serial: int, sha256: str) -> None:
    """Refuse what is older from now on, in one step on disk; an older `serial` changes nothing. Raises `OSError`."""
    known = read(trust)
    if name in known and known[name].serial >= serial:
        return
    rows = {each: asdict(row) for each, row in (known | {name: Accepted(serial, sha256)}).items()}
    draft = trust / f"{SERIALS}.{os.getpid()}.part"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(rows, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(trust / SERIALS)


def _accepted(row: Any) -> Accepted:
    serial, sha256 = row["serial"], row["sha256"]
    if type(serial) is not int or not isinstance(sha256, str):
        raise TypeError("a row is no serial with a SHA-256")
    return Accepted(serial, sha256)
