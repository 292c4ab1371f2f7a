"""Readable names for the parameters of a case."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import is_dataclass
from typing import Any, Final, cast

LONGEST: Final = 60
REPLACED: Final = str.maketrans({",": ";"})  # `--only` separates cases by commas


def make_variant(value: object) -> str | None:
    """Return the name of one parameter; None where pytest's own is readable: numbers, enums, functions."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value).items()
        return _clean(" ".join(f"{_name(key)}={_name(inner)}" for key, inner in pairs))
    if isinstance(value, Collection) and not isinstance(value, (bytes, bytearray, type)):
        return _clean(" ".join(map(_name, cast("Collection[object]", value))))
    if is_dataclass(value) and not isinstance(value, type):
        return _clean(_name_of(value))
    return None


def _name(value: object) -> str:
    return make_variant(value) or str(value)


def _name_of(value: Any) -> str:
    """Return the name that the object gives itself, else its text."""
    name = getattr(value, "name", None)
    return name if isinstance(name, str) and name else str(value)


def _clean(text: str) -> str:
    """Return the text in one line, without characters that no report can show, and not too long."""
    shown = "".join(character if character.isprintable() else "_" for character in text.translate(REPLACED)).strip()
    return f"{shown[: LONGEST - 3]}..." if len(shown) > LONGEST else shown or "empty"
