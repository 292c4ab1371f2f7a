"""Decoding of a DBC file: UTF-8, or the Windows code page 1252 that most tools write."""

from __future__ import annotations

from drivers.text_encoding import find_wide_encoding


def decode_text(raw: bytes) -> str:
    """Return the text of `raw`, with or without a byte order mark; raise `ValueError` that names UTF-16 or UTF-32."""
    if name := find_wide_encoding(raw):
        raise ValueError(f"{name} text")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")  # cp1252 does not define five of the bytes
