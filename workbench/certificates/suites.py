"""The suites that come with the workbench, and the hash by which a certificate names the suite that it used."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

SUITES: Final = Path(__file__).parents[1] / "certify" / "suites"
CACHES: Final = ("__pycache__", ".")  # how the names of folders begin that are no part of a suite


def list_shipped() -> tuple[str, ...]:
    """Return the names of the suites that come with the workbench."""
    return tuple(sorted(folder.name for folder in SUITES.iterdir() if (folder / "__init__.py").exists()))


def find_shipped(name: str) -> Path | None:
    """Return the shipped suite that has this name in any case, also as the name of a file; None if there is none."""
    stem = name.removesuffix(".py").casefold()
    return next((SUITES / shipped for shipped in list_shipped() if shipped.casefold() == stem), None)


def hash_suite(suite: Path) -> str:
    """Return the SHA-256 over the relative paths and contents of all files of a suite, in the order of their paths."""
    whole = hashlib.sha256()
    for name, path in sorted(_list_files(suite)):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{content}  {name}\n".encode())
    return whole.hexdigest()


def _list_files(suite: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and path of each regular file of a suite, which is a folder or one file."""
    if suite.is_file():
        yield suite.name, suite
        return
    for path in suite.rglob("*"):
        inside = path.relative_to(suite)
        if path.is_file() and not any(part.startswith(CACHES) for part in inside.parts):
            yield inside.as_posix(), path
