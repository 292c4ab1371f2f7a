"""A TOML file with the line of each value: `tomllib` reads the values, tree-sitter finds their lines."""

from __future__ import annotations

import contextlib
import functools
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias, cast

import tree_sitter
import tree_sitter_toml

from drivers.benchfile.toml_errors import explain
from drivers.errors import BenchFileError
from drivers.regular_file import read_regular
from drivers.text_encoding import find_wide_encoding
from drivers.toml_text import MAX_BYTES, TomlBoundsError, parse_toml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KeyPath: TypeAlias = tuple[str | int, ...]

REPEATED: Final = ("Cannot overwrite", "Cannot declare", "Cannot mutate", "Duplicate inline table key")  # of tomllib


@dataclass(frozen=True)
class Document:
    """The values of a TOML file at `path`, and its text."""

    path: Path
    text: str
    values: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file; raise `BenchFileError` if it does not exist or is not TOML."""
        try:
            raw = read_regular(path, MAX_BYTES)
        except OSError as error:
            raise BenchFileError(f"cannot be read: {error.strerror}", where=str(path), hint="name another") from error
        return cls.parse(path, _decode(path, raw))

    @classmethod
    def parse(cls, path: Path, text: str) -> Self:
        """Parse `text` as if it were the file at `path`; raise `BenchFileError` if it is not TOML."""
        try:
            return cls(path, text, parse_toml(text))
        except TomlBoundsError as error:
            hint = "make it smaller; a bracket or a quote may not be closed"
            raise BenchFileError(str(error), where=str(path), line=error.line, hint=hint) from error
        except ValueError as error:
            raise _not_toml(path, text, str(error)) from error

    @functools.cached_property
    def lines(self) -> dict[KeyPath, int]:
        """The line of each key path, counted from 1: only a mistake asks, and they cost as much as the values."""
        lines: dict[KeyPath, int] = {}
        with contextlib.suppress(ValueError):  # the second parser stumbles where the first did not
            lines.update(_lines(self.text.encode()))
        return lines

    def line(self, at: KeyPath) -> int:
        """Return the line of `at`, or of the nearest table around it that the file contains."""
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at, 1)

    def written(self, at: KeyPath) -> str:
        """Return the text of the line of `at`."""
        return _split(self.text)[self.line(at) - 1]

    def table(self, at: KeyPath) -> dict[str, Any]:
        """Return the table at `at` as the file has it; empty where there is none."""
        value: Any = self.values
        for step in at:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return {}
        return cast("dict[str, Any]", value) if isinstance(value, dict) else {}

    def mistake(
        self, at: KeyPath, what: str, *, value: Any = None, bound: Any = None, hint: str = ""
    ) -> BenchFileError:
        """Return an error about the value at `at`; `what` follows the key's name in the sentence."""
        return BenchFileError(
            f"{spell_key(at)} {what}",
            where=str(self.path),
            line=self.line(at),
            key=spell_key(at),
            value=value,
            bound=bound,
            hint=hint,
        )


def spell_key(at: KeyPath) -> str:
    """Return the key path as text, such as `limit[1].bench[0]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in at).lstrip(".")


def _split(text: str) -> list[str]:
    """Return the lines of `text`, counted as TOML does."""
    return text.split("\n")


def _decode(path: Path, raw: bytes) -> str:
    """Return the text of a file in UTF-8; raise `BenchFileError` that names another encoding and its place."""
    if wide := find_wide_encoding(raw):
        raise BenchFileError(f"is {wide} text", where=str(path), bound="UTF-8", hint="save it as UTF-8")
    try:
        text = raw.decode("utf-8-sig")  # some editors write a byte order mark
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        odd = raw[error.start : error.start + 1]
        what = f'is not UTF-8 text: byte 0x{odd.hex().upper()}, "{odd.decode("cp1252", "replace")}" in Windows code'
        hint = "save it as UTF-8"
        raise BenchFileError(what, where=str(path), line=line, value=odd.hex(), bound="UTF-8", hint=hint) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _not_toml(path: Path, text: str, message: str) -> BenchFileError:
    lines = _split(text)
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", message)
    line = int(place[1]) if place and place[1] else len(text.splitlines() or lines)
    cause = message[: place.start()] if place else message
    if cause.startswith(REPEATED) and (repeated := _find_repeated(text, line)) is not None:
        at, first = repeated
        what, hint = f"{spell_key(at)} occurs twice, first in line {first}", "delete one of them"
        return BenchFileError(f"is not TOML: {what}", where=str(path), line=line, key=spell_key(at), hint=hint)
    line, what, hint = explain(lines, line, cause)
    return BenchFileError(f"is not TOML: {what}", where=str(path), line=line, hint=hint)


def _find_repeated(text: str, line: int) -> tuple[KeyPath, int] | None:
    """Return the key in `line` that occurs before, and the line where it does; None where nothing repeats."""
    first: dict[KeyPath, int] = {}
    with contextlib.suppress(ValueError):  # a key that is not TOML either
        for at, number in _lines(text.encode()):
            if at in first and number == line:
                return at, first[at]
            first.setdefault(at, number)
    return None


def _lines(source: bytes) -> Iterator[tuple[KeyPath, int]]:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))
    counts: dict[KeyPath, int] = {}  # of each array of tables, the element that is being written
    for node in parser.parse(source).root_node.named_children:
        if node.type == "pair":
            yield from _pair(node, ())
        elif node.type in {"table", "table_array_element"}:
            table = _table(node, counts)
            yield table, _line(node)
            for pair in node.named_children:
                if pair.type == "pair":
                    yield from _pair(pair, table)


def _table(node: tree_sitter.Node, counts: dict[KeyPath, int]) -> KeyPath:
    """Return the key path of a table's header; in an array of tables it means the newest element."""
    *around, name = _names(node.named_children[0])
    at: KeyPath = ()
    for step in around:
        at = (*at, step)
        at = (*at, counts[at]) if at in counts else at
    at = (*at, name)
    if node.type == "table_array_element":
        counts[at] = counts.get(at, -1) + 1
        return (*at, counts[at])
    return at


def _pair(node: tree_sitter.Node, around: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    key, value = (child for child in node.named_children if child.type != "comment")
    at = (*around, *_names(key))
    yield at, _line(node)
    yield from _inside(value, at)


def _inside(value: tree_sitter.Node, at: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    items = [child for child in value.named_children if child.type != "comment"]
    if value.type == "inline_table":
        for pair in items:
            yield from _pair(pair, at)
    elif value.type == "array":
        for number, item in enumerate(items):
            yield (*at, number), _line(item)
            yield from _inside(item, (*at, number))


def _names(key: tree_sitter.Node) -> list[str]:
    """Return the parts of a bare, quoted or dotted key, as tomllib reads them."""
    names: list[str] = []
    inner: dict[str, Any] | int = tomllib.loads(f"{(key.text or b'').decode()} = 0")
    while isinstance(inner, dict):
        ((name, inner),) = inner.items()
        names.append(name)
    return names


def _line(node: tree_sitter.Node) -> int:
    return node.start_point.row + 1
