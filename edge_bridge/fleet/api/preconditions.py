"""`ETag`, `If-Match` and `If-None-Match` (RFC 9110): a change names the version that it was made from."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import Header

from edge_bridge.fleet.api.problems import ProblemRaised

_HINT = "send the ETag of your GET as If-Match, or If-None-Match: * for a new one"
IfMatch = Annotated[str | None, Header(max_length=100, description="The `ETag` of the version that you have seen.")]
IfNoneMatch = Annotated[str | None, Header(max_length=100, description="`*`: only if it does not exist yet.")]


def make_etag(etag: str) -> str:
    """Return the header of a version."""
    return f'"{etag}"'


def read_expected(if_match: str | None, if_none_match: str | None = None) -> str:
    """Return the `etag` that a document must have, "" for none; raise 428 if the request does not say, 412 for `*`."""
    if if_none_match is not None and if_none_match.strip() == "*" and if_match is None:
        return ""
    if if_match is None:
        words = "the request does not say which version it changes"
        raise ProblemRaised(HTTPStatus.PRECONDITION_REQUIRED, "precondition-required", words, _HINT)
    etag = if_match.strip()
    if not (len(etag) > len('""') and etag[0] == etag[-1] == '"'):
        raise ProblemRaised(HTTPStatus.PRECONDITION_FAILED, "document-changed", "If-Match is not an ETag", _HINT)
    return etag[1:-1]
