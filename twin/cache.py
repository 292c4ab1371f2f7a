"""The cache of derived files that any machine can make again: exported models, keyed by the versions that made them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from twin.cell_physics import CellPhysics

_REVISION: Final = 3  # of our own equations that surround PyBaMM's


def find_cache_folder() -> Path:
    """Return `PULSEBMS_CACHE`, else the platform's cache folder; make it if it is missing and this is possible."""
    given = os.environ.get("PULSEBMS_CACHE")
    local = os.environ.get("LOCALAPPDATA") if sys.platform == "win32" else os.environ.get("XDG_CACHE_HOME")
    path = Path(given) if given else Path(local or Path.home() / ".cache") / "pulsebms"
    with contextlib.suppress(OSError):  # a later write there reports the error
        path.mkdir(parents=True, exist_ok=True)
    return path


def find_spme_file(cache: Path, physics: CellPhysics) -> Path:
    """Return the path of the exported SPMe of a cell for the installed versions of PyBaMM and CasADi."""
    digest = hashlib.sha256(json.dumps(physics._asdict()).encode()).hexdigest()[:8]
    return cache / f"spme-{physics.name}-{digest}-{version('pybamm')}-{version('casadi')}-{_REVISION}.json"


def seal(text: str) -> str:
    """Return `text` after a line with its SHA-256 digest."""
    return f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}"


def unseal(text: str) -> str:
    """Return the text given to `seal`; raise `ValueError` where a byte changed or is missing."""
    _, _, inside = text.partition("\n")
    if seal(inside) != text:
        raise ValueError("damaged: its contents do not match its own digest")
    return inside
