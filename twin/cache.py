"""Where derived files lie that any machine can make again: exported models, keyed by what made them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final

_REVISION: Final = 2  # of our own equations around PyBaMM's


def find_cache_folder() -> Path:
    """`PULSEBMS_CACHE`, else the platform's cache folder; made if missing and possible."""
    given = os.environ.get("PULSEBMS_CACHE")
    local = os.environ.get("LOCALAPPDATA") if sys.platform == "win32" else os.environ.get("XDG_CACHE_HOME")
    path = Path(given) if given else Path(local or Path.home() / ".cache") / "pulsebms"
    with contextlib.suppress(OSError):  # who wants to write there will be told
        path.mkdir(parents=True, exist_ok=True)
    return path


def find_spme_file(cache: Path) -> Path:
    """The exported SPMe of these versions of PyBaMM and CasADi."""
    return cache / f"spme-{version('pybamm')}-{version('casadi')}-{_REVISION}.json"


def seal(text: str) -> str:
    """`text` behind a line that proves it whole."""
    return f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}"


def unseal(text: str) -> str:
    """What `seal` was given; raises `ValueError` where a byte of it changed or is missing."""
    _, _, inside = text.partition("\n")
    if seal(inside) != text:
        raise ValueError("damaged: its contents do not match its own digest")
    return inside


def write_atomic(path: Path, text: str) -> None:
    """Write beside `path`, then rename: a reader sees all of it or none, and two writers do no harm."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        draft.write_text(text)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
