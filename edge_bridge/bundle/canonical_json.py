"""JSON in one fixed form: sorted keys, no blanks, ASCII, no NaN."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def dump_json(value: Any) -> bytes:
    """Write `value` in the canonical form; raise `ValueError` for NaN and infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def load_canonical(data: bytes) -> Any:
    """Read canonical JSON; raise `ValueError` for data that are not JSON or differ from the form of `dump_json`."""
    value = parse_json(data)
    try:
        same = dump_json(value) == data
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not same:
        raise ValueError("it is not canonical JSON")
    return value


def parse_json(data: bytes) -> Any:
    """Read JSON in any form; raise `ValueError`, also where Python itself would run out of stack."""
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")
