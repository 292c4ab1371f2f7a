"""The file with the nodes of a fleet: one name a line; `#` begins a comment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.errors import Usage
from edge_bridge.sparkplug import topics
from edge_bridge.sparkplug.payload import PayloadError

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 1 << 20


def read_node_list(path: Path) -> frozenset[str]:
    """Read the names of the nodes that may join; raise `Usage` for a file without valid names."""
    try:
        data = path.read_bytes() if path.is_file() and path.stat().st_size <= MAX_BYTES else None
        text = None if data is None else data.decode("utf-8-sig")
    except OSError as error:
        raise _make_error(path, f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise _make_error(path, "is not UTF-8 text") from error
    if text is None:
        raise _make_error(path, f"is not a file of up to {MAX_BYTES} bytes")
    names = set[str]()
    for number, line in enumerate(text.splitlines(), 1):
        name = line.partition("#")[0].strip()
        if not name:
            continue
        try:
            names.add(topics.check_name(name, "node"))
        except PayloadError as error:
            raise _make_error(path, error.what, number) from error
    if not names:
        raise _make_error(path, "names no node")
    return frozenset(names)


def _make_error(path: Path, what: str, line: int | None = None) -> Usage:
    hint = "name a text file with the name of one node on each line"
    return Usage(what, where=str(path), line=line, key="nodes", value=str(path), hint=hint)
