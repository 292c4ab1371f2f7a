"""What the project declares, what an extra brings on this machine, and what is pinned."""

from __future__ import annotations

import functools
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NEVER_PINNED = frozenset({"pip", "setuptools"})  # every environment has its own


def requirements(extra: str) -> list[Requirement]:
    """What an extra declares, extras of our own within it followed; the base for `''`."""
    lines: list[str] = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    found: list[Requirement] = []
    for requirement in map(Requirement, lines):
        own = requirement.name == "pulsebms"
        found += [one for inner in requirement.extras for one in requirements(inner)] if own else [requirement]
    return found


@functools.cache
def closure(extra: str) -> frozenset[str]:
    """Distributions that an installation of an extra brings on this machine."""
    found, todo = set[str](), [(one.name, frozenset(one.extras)) for one in (*requirements(""), *requirements(extra))]
    while todo:
        name, extras = todo.pop()
        name = canonicalize_name(name)
        if name in NEVER_PINNED or (name in found and not extras):
            continue
        found.add(name)
        for needed in map(Requirement, metadata.requires(name) or []):
            wanted = needed.marker is None or any(needed.marker.evaluate({"extra": one}) for one in ("", *extras))
            if wanted:
                todo.append((needed.name, frozenset(needed.extras)))
    return frozenset(found)


@functools.cache
def owners() -> dict[str, set[str]]:
    """Top-level module to the distributions that bring it: every list of files is read, which takes a second."""
    return {
        module: {canonicalize_name(name) for name in names}
        for module, names in metadata.packages_distributions().items()
    }


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("==")[::2] for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}
