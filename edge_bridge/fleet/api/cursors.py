"""The cursor of a page: the place behind its last entry, as text that nobody need understand."""

from __future__ import annotations

import base64
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from edge_bridge.fleet.api.problems import ProblemRaised

if TYPE_CHECKING:
    from edge_bridge.metrics import Scalar


def make_cursor(what: str, *place: Scalar) -> str:
    """Return the cursor of a place in the list `what`."""
    text = json.dumps([what, *place], separators=(",", ":"))  # an infinite number too: only `read_cursor` reads it
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str, what: str, *kinds: type) -> list[Any]:
    """Return the place in the list `what`, whose parts have these types; answer 400 for any other text."""
    try:
        found: Any = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        found = None
    name, *place = cast("list[Any]", found) if isinstance(found, list) and found else [None]
    if name != what or [type(part) for part in place] != list(kinds):
        raise ProblemRaised(HTTPStatus.BAD_REQUEST, "cursor", "the cursor is not one of this list", "begin without one")
    return place
