"""Decoding of a DBC file: UTF-8, or the Windows code page 1252 that most tools write."""

from __future__ import annotations

import codecs
from typing import Final

MARKS: Final = (  # the longer byte order mark first: that of UTF-32 begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def decode_text(raw: bytes) -> str:
    """Return the text of `raw`, with or without a byte order mark; raise `ValueError` that names UTF-16 or UTF-32."""
    name = next((name for mark, name in MARKS if raw.startswith(mark)), "UTF-16" if b"\0" in raw[:64] else "")
    if name:
        raise ValueError(f"{name} text")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")  # cp1252 does not define five of the bytes
