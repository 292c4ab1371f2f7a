"""Packages that only one format needs, imported when a file of that format is read."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from drivers.errors import PackageMissing

if TYPE_CHECKING:
    from pathlib import Path


def import_reader(module: str, path: Path, extra: str) -> Any:
    """Return a module of an extra of the distribution; raise `PackageMissing` that names the file and the extra."""
    try:
        return import_module(module)
    except ImportError as error:
        hint = f"install it: pip install 'pulsebms[{extra}]'"
        raise PackageMissing(f"needs the package {module}", where=str(path), value=module, hint=hint) from error
