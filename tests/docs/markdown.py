"""The pages of this repository as links and blocks of code, each with its line."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
_PARSER: Final = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Block:
    """A block of code: fenced in `language`, or indented without one."""

    page: Path
    line: int
    language: str
    text: str


def pages() -> list[Path]:
    """Every Markdown file of the repository, new ones too."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(path for name in names if (path := ROOT / name).is_file())


def links(page: Path) -> Iterator[tuple[int, str]]:
    """Line and target of each link and picture."""
    for token in _PARSER.parse(page.read_text(encoding="utf-8")):
        line = token.map[0] + 1 if token.map else 0
        for child in token.children or []:
            target = child.attrGet("href") or child.attrGet("src")
            if target:
                yield line, str(target)


def anchors(page: Path) -> set[str]:
    """The anchors of its headings, as GitHub and the site make them."""
    tokens = _PARSER.parse(page.read_text(encoding="utf-8"))
    found: set[str] = set()
    for heading, inline in pairwise(tokens):
        if heading.type == "heading_open":
            text = "".join(child.content for child in inline.children or [])
            found.add(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-"))
    return found


def blocks(page: Path) -> Iterator[Block]:
    for token in _PARSER.parse(page.read_text(encoding="utf-8")):
        if token.type in {"fence", "code_block"}:
            yield Block(page, token.map[0] + 1 if token.map else 0, token.info.strip(), token.content)
