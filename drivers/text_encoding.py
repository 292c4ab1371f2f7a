"""The encodings of text files beside UTF-8: UTF-16 and UTF-32, by their byte order mark or their zero bytes."""

from __future__ import annotations

import codecs
from typing import Final

MARKS: Final = (  # the longer byte order mark first: that of UTF-32 begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def find_wide_encoding(raw: bytes) -> str:
    """Return UTF-16 or UTF-32 for text in that encoding, else nothing."""
    marked = next((name for mark, name in MARKS if raw.startswith(mark)), "")
    return marked or ("UTF-16" if b"\0" in raw[:64] else "")


def decode_any(raw: bytes) -> str:
    """Return the text of `raw` in UTF-8, UTF-16 or UTF-32, without its byte order mark; raise `UnicodeDecodeError`."""
    if not (wide := find_wide_encoding(raw)):
        return raw.decode("utf-8-sig")
    if any(raw.startswith(mark) for mark, _ in MARKS):
        return raw.decode(wide)  # the codec reads the mark and drops it
    return raw.decode("utf-16-le" if raw[1:2] == b"\0" else "utf-16-be")
