"""Standard streams of any encoding: what one cannot encode is replaced, so that no console ends a verb."""

from __future__ import annotations

import io
import json
import sys


def prepare_streams() -> None:
    """Replace characters that stdout or stderr cannot encode, instead of raising."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def encode_json(fields: object) -> str:
    """Return `fields` as JSON: as it is where stdout can encode it, else in ASCII, which reads back the same."""
    text = json.dumps(fields, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return json.dumps(fields)
    return text
