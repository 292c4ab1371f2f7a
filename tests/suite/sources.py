"""The product's modules, read once by the process that judges them."""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("control", "drivers", "edge_bridge", "fixtures", "twin", "workbench")


class Definition(NamedTuple):
    """A class or function: where it stands, and its name."""

    path: Path
    line: int
    name: str
    is_class: bool


BLOCKS: Final = ("body", "orelse", "finalbody", "handlers", "cases")  # the fields of statements that hold statements


def walk_statements(source: str) -> Iterator[ast.AST]:
    """Yield every statement of `source`, inner ones too; their expressions, most of a tree, hold none."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        yield node
        for block in BLOCKS:
            waiting += getattr(node, block, ())


@functools.cache
def read_modules() -> dict[Path, str]:
    """Return the text of each module, by its path from the root."""
    paths = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in paths}


@functools.cache
def list_definitions() -> list[Definition]:
    """Return every class and function of every module, inner ones too."""
    return [
        Definition(path, node.lineno, node.name, isinstance(node, ast.ClassDef))
        for path, text in read_modules().items()
        for node in walk_statements(text)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
