"""A document: a JSON object with a kind, a key and perhaps a node and a file, and what may be stored as one."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BODY: Final = 1 << 20  # bytes of JSON
MAX_BLOB: Final = 12 << 20  # bytes; MongoDB takes 16 MiB with everything around it
MAX_DEPTH: Final = 32
MAX_FOUND: Final = 1_000  # documents in one answer
LARGEST_REAL: Final = 1e15  # a JSONB number that is larger comes back as an integer
_INT64: Final = 1 << 63
_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,29}", re.ASCII)
_KEY: Final = re.compile(r"[A-Za-z0-9_.:@-]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FleetDocument:
    """What is stored; `etag` is new with each change and never used again."""

    kind: str
    key: str
    node: str
    body: Mapping[str, Any]
    blob_size: int
    version: int
    etag: str
    changed_ms: int


def check_place(kind: str, key: str, node: str = "") -> None:
    """Raise `Usage` for names that no document can have."""
    if not _KIND.fullmatch(kind):
        raise Usage(f"{kind[:40]!r} is not a kind of document", key="kind", value=kind[:40], bound=_KIND.pattern)
    for name, value in (("key", key), ("node", node)):
        if (value or name == "key") and not _KEY.fullmatch(value):
            raise Usage(f"{value[:40]!r} is not a {name} of a document", key=name, value=value[:40], bound=_KEY.pattern)


def check_limit(limit: int) -> None:
    """Raise `Usage` for a number of documents that one answer cannot have."""
    if not 1 <= limit <= MAX_FOUND:
        raise Usage(f"{limit} documents cannot be read at once", key="limit", value=limit, bound=[1, MAX_FOUND])


def check_content(body: Mapping[str, Any], blob: bytes | None) -> str:
    """Return the body as JSON; raise `Usage` for what one of the databases could not give back as it was."""
    _check_value(body, "body", 0)
    try:
        words = json.dumps(body, allow_nan=False, ensure_ascii=False)
        size = len(words.encode())
    except (TypeError, ValueError) as error:
        raise Usage(f"the document is not JSON: {error}", key="body") from error
    if size > MAX_BODY:
        raise Usage(f"the document has {size} bytes", key="body", value=size, bound=MAX_BODY)
    if blob is not None and len(blob) > MAX_BLOB:
        raise Usage(f"the file of the document has {len(blob)} bytes", key="blob", value=len(blob), bound=MAX_BLOB)
    return words


def _check_value(value: Any, where: str, depth: int) -> None:
    where = where[-80:]
    if depth > MAX_DEPTH:
        raise Usage("the document is nested too deeply", key="body", value=depth, bound=MAX_DEPTH)
    if isinstance(value, dict):
        for name, inner in value.items():  # pyright: ignore[reportUnknownVariableType]
            _check_name(name, where)
            _check_value(inner, f"{where}.{name}", depth + 1)
    elif depth == 0:
        raise Usage("a document is an object", key="body", value=type(value).__name__)
    elif isinstance(value, list):
        for inner in value:  # pyright: ignore[reportUnknownVariableType]
            _check_value(inner, f"{where}[]", depth + 1)
    else:
        _check_scalar(value, where)


def _check_scalar(value: Any, where: str) -> None:
    if isinstance(value, str):
        _check_text(value, where)
    elif isinstance(value, float) and not (math.isfinite(value) and abs(value) <= LARGEST_REAL):
        raise Usage(f"{where} is {value}", key="body", value=str(value), bound=LARGEST_REAL)
    elif isinstance(value, int) and not -_INT64 <= value < _INT64:
        raise Usage(f"{where} has more than 64 bits", key="body", bound=_INT64)
    elif value is not None and not isinstance(value, (int, float)):
        raise Usage(f"{where} is of type {type(value).__name__}, which JSON does not have", key="body")


def _check_name(name: Any, where: str) -> None:
    if not isinstance(name, str) or not name or name.startswith("$") or "." in name:
        words = f"{str(name)[:40]!r} in {where} is not a name: it is empty, begins with $ or contains a dot"
        raise Usage(words, key="body", value=str(name)[:40])
    _check_text(name, where)


def _check_text(words: str, where: str) -> None:
    if "\0" in words or any("\ud800" <= one <= "\udfff" for one in words):
        raise Usage(f"{where} contains a character that cannot be stored", key="body")
