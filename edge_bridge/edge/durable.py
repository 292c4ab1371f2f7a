"""Files that are old or new after a cut, never half: written beside, synced, moved into place."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def replaced(path: Path, octets: bytes) -> None:
    """`path` holds `octets` from now on; raises `OSError` and leaves the old ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    try:
        with beside.open("wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def noted(path: Path, told: Mapping[str, object]) -> None:
    """`told` as a JSON object; raises `OSError` and leaves the old."""
    replaced(path, json.dumps(dict(told)).encode())


def recalled(path: Path) -> dict[str, Any]:
    """What was noted; empty where there is nothing, or nothing readable."""
    try:
        told: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", told) if isinstance(told, dict) else {}


def _sync_folder(folder: Path) -> None:
    """So that the new name survives a power cut, too; some systems cannot."""
    with contextlib.suppress(OSError):
        place = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(place)
        finally:
            os.close(place)
