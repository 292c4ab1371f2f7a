"""Standard streams: what one cannot encode is replaced, and one that is closed or full ends a verb in order."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import suppress
from typing import TextIO


def prepare_streams() -> None:
    """Replace characters that stdout or stderr cannot encode, instead of raising."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def drop_unwritten() -> None:
    """Discard what stdout and stderr still hold if it cannot be written: Python would report it at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _discard(stream)
        except (AttributeError, ValueError):  # no such stream, or one that is closed
            pass


def _discard(stream: TextIO) -> None:
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        stream.flush()


def encode_json(fields: object) -> str:
    """Return `fields` as JSON: as it is where stdout can encode it, else in ASCII, which reads back the same."""
    text = json.dumps(fields, ensure_ascii=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return json.dumps(fields)
    return text
