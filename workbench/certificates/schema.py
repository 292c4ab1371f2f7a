"""Versions of `certificate.json` that this program writes and reads."""

from __future__ import annotations

from typing import Final

FAMILY: Final = "pulsebms.certificate"
VERSION: Final = 2
WITHOUT_HASHES: Final = 1  # the version without the hashes of the suite and of the files that the bench file names
OLDEST: Final = VERSION - 1  # the previous version can be read too
SCHEMA: Final = f"{FAMILY}/{VERSION}"


def parse_version(schema: str) -> int:
    """Return the version in a schema; raise `ValueError` for a schema that this version cannot read."""
    family, _, number = schema.rpartition("/")
    if family != FAMILY or not number.isdecimal():
        raise ValueError(f"its schema is {schema!r}, not {SCHEMA!r}")
    if not OLDEST <= int(number) <= VERSION:
        age = "newer" if int(number) > VERSION else "older"
        raise ValueError(f"its schema {schema!r} is {age} than this version reads ({SCHEMA!r})")
    return int(number)
