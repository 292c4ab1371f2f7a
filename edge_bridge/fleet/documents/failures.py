"""The error for a document that somebody else has changed."""

from __future__ import annotations

from drivers.errors import DocumentChanged


def make_change(kind: str, key: str) -> DocumentChanged:
    """Make the error for a document whose `etag` is not the expected one."""
    what = f"{kind} {key} has changed, or is not there any more"
    return DocumentChanged(what, key="etag", value=key, hint="read it again, then repeat the change")
