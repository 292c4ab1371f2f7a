"""Versions of `certificate.json` that this program writes and reads."""

from __future__ import annotations

from typing import Final

FAMILY: Final = "pulsebms.certificate"
VERSION: Final = 1
OLDEST: Final = max(1, VERSION - 1)  # the previous version can be read too; there is none before the first
SCHEMA: Final = f"{FAMILY}/{VERSION}"


def check_schema(schema: str) -> None:
    """Raise `ValueError` for a schema that this version cannot read."""
    family, _, number = schema.rpartition("/")
    if family != FAMILY or not number.isdecimal():
        raise ValueError(f"its schema is {schema!r}, not {SCHEMA!r}")
    if not OLDEST <= int(number) <= VERSION:
        age = "newer" if int(number) > VERSION else "older"
        raise ValueError(f"its schema {schema!r} is {age} than this version reads ({SCHEMA!r})")
