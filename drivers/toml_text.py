"""TOML of unknown origin: its size, nesting, keys and tables are bounded before any parser reads it.

A parser's time may grow with the square of a key's parts, its stack with the nesting.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from drivers.regular_file import read_regular

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 1 << 19  # of a file; the largest that is shipped has 10 000
MAX_DEPTH: Final = 32  # brackets and braces inside each other
MAX_ENTRIES: Final = 10_000  # keys and tables
MAX_PARTS: Final = 30_000  # lines, and values in arrays
MAX_KEY: Final = 200  # characters of a key or a table's name, with all its parts
_MARKS: Final = re.compile(r"\"\"\"|'''|[\"'#\n\[\]{}=,]")
_COMMENT: Final = "#"


class TomlBoundsError(ValueError):
    """A text that is larger, deeper or longer than any file of this project; `line` counts from 1."""

    def __init__(self, what: str, line: int) -> None:
        super().__init__(what)
        self.line = line


def load_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; raise `OSError`, also for a file that is too large, and `ValueError` for any other text."""
    return parse_toml(read_toml(path))


def read_toml(path: Path) -> str:
    """Return the text of a TOML file, with line feeds at its line ends and no byte order mark.

    Raise `OSError`, also for a file that is too large, and `UnicodeDecodeError`.
    """
    text = read_regular(path, MAX_BYTES).decode("utf-8-sig")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse_toml(text: str) -> dict[str, Any]:
    """Parse a text within the bounds; raise `ValueError` for any other: `TomlBoundsError` beyond them."""
    check_bounds(text)
    return tomllib.loads(text)


def check_bounds(text: str) -> None:
    """Raise `TomlBoundsError`, in a time that grows with the length of the text only."""
    if len(text) > MAX_BYTES:
        raise TomlBoundsError(f"has {len(text)} characters, more than {MAX_BYTES}", 1)
    scan, at = _Scan(text), 0
    while (found := _MARKS.search(text, at)) is not None:
        at = scan.take(found[0], found.start())


class _Scan:
    """The state between two marks: the open string or comment, the open brackets, the start of the present key.

    It must see every key that the parser sees; where the text is not TOML, the parser stops.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._inside = ""
        self._depth = self._entries = self._parts = self._begin = 0
        self._in_header = False

    def take(self, mark: str, at: int) -> int:
        """Take the mark at `at`; return where to look for the next one."""
        if self._inside and (mark != "\n" or len(self._inside) > 1):
            return self._take_inside(mark, at)
        self._inside = ""  # a line end also ends a comment and a string of one line
        match mark:
            case "[" | "{":
                self._open(mark, at)
            case "]" | "}":
                self._close(at)
            case "=":
                self._count(at)
                self._check_key(at)
            case "," | "\n":
                self._count_part(at)
                self._begin = at + 1
            case _:
                self._inside = mark
        return at + len(mark)

    def _take_inside(self, mark: str, at: int) -> int:
        """Return the end of the string if the mark ends it, else the next character."""
        quote, length = self._inside[0], len(self._inside)
        if self._inside == _COMMENT or mark[0] != quote or len(mark) < length:
            return at + 1
        if quote == '"' and self._is_escaped(at):
            return at + 1
        self._inside = ""
        end = at + length
        while length > 1 and end < at + length + 2 and self._text[end : end + 1] == quote:
            end += 1  # a long string may end with two quotes of its own
        return end

    def _is_escaped(self, at: int) -> bool:
        first = at
        while first and self._text[first - 1] == "\\":
            first -= 1
        return bool((at - first) % 2)

    def _open(self, mark: str, at: int) -> None:
        if not self._depth and mark == "[" and not self._text[self._begin : at].strip():
            self._in_header = True
            self._count(at)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(at, f"is nested more than {MAX_DEPTH} levels deep")
        self._begin = at + 1

    def _close(self, at: int) -> None:
        if self._in_header:
            self._check_key(at)
            self._in_header = False
        self._depth = max(0, self._depth - 1)

    def _count(self, at: int) -> None:
        self._entries += 1
        if self._entries > MAX_ENTRIES:
            raise self._error(at, f"has more than {MAX_ENTRIES} keys and tables")

    def _count_part(self, at: int) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise self._error(at, f"has more than {MAX_PARTS} lines and values")

    def _check_key(self, at: int) -> None:
        if at - self._begin > MAX_KEY:
            raise self._error(at, f"has a key of {at - self._begin} characters, more than {MAX_KEY}")

    def _error(self, at: int, what: str) -> TomlBoundsError:
        return TomlBoundsError(what, self._text.count("\n", 0, at) + 1)
