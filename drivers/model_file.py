"""Fitted models as JSON files: a schema with its version, numbers as lists; no code is ever read from them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from drivers.errors import BenchFileError
from drivers.jsonvalues import replace_nan
from drivers.output_file import write_stream
from drivers.regular_file import read_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import BinaryIO

T = TypeVar("T")
LARGEST: Final = 64 << 20  # bytes


def read_model(path: Path, schema: str, decode: Callable[[Mapping[str, Any]], T]) -> T:
    """Read the model of `decode`; raise `BenchFileError` for another schema, a damaged file or none."""
    hint = "make it again with --train"
    try:
        fields = json.loads(read_regular(path, LARGEST))
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        raise BenchFileError(what, where=str(path), key="model", value=str(path), hint="name a model file") from error
    except (ValueError, RecursionError) as error:
        raise BenchFileError("is no JSON file", where=str(path), key="model", value=str(path), hint=hint) from error
    found = cast("dict[str, Any]", fields).get("schema") if isinstance(fields, dict) else None
    if found != schema:
        what = f"has the schema {found!r}, not {schema!r}"
        raise BenchFileError(what, where=str(path), key="schema", value=found, bound=schema, hint=hint)
    try:
        return decode(cast("dict[str, Any]", fields))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        what = f"is damaged: {error!s}"
        raise BenchFileError(what, where=str(path), key="model", value=str(path), hint=hint) from error


def write_model(path: Path, fields: Mapping[str, Any]) -> None:
    """Write the fields of a model as JSON, whole or not at all; raise `OSError`."""
    text = json.dumps(replace_nan(dict(fields)), indent=None, separators=(",", ":"), allow_nan=False)

    def write(file: BinaryIO) -> None:
        file.write(text.encode() + b"\n")

    write_stream(path, write)
