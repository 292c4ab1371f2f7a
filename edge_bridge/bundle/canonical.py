"""JSON that has one spelling alone: sorted keys, no blanks, ASCII, no NaN."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def dumped(value: Any) -> bytes:
    """The one spelling of `value`; raises `ValueError` for NaN and infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def loaded(octets: bytes) -> Any:
    """What `octets` say; raises `ValueError` for anything that is no JSON, or is not spelled as `dumped` does."""
    value = parsed(octets)
    try:
        same = dumped(value) == octets
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not same:
        raise ValueError("it is not spelled canonically")
    return value


def parsed(octets: bytes) -> Any:
    """JSON in any spelling; raises `ValueError`, also where Python itself would run out of stack."""
    try:
        return json.loads(octets.decode("utf-8"), parse_constant=_refused)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON's")
