"""The text of a DBC file: UTF-8, or the Windows code page 1252 that most tools write."""

from __future__ import annotations

import codecs
from typing import Final

MARKS: Final = (  # the longer mark first: UTF-32 begins as UTF-16 does
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def decode_text(raw: bytes) -> str:
    """The text of `raw`, with or without a mark; raises `ValueError` for UTF-16 and UTF-32, by name."""
    name = next((name for mark, name in MARKS if raw.startswith(mark)), "UTF-16" if b"\0" in raw[:64] else "")
    if name:
        raise ValueError(f"{name} text")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")  # five bytes mean nothing there
