"""When each row of a curve was reached, in a file beside it: the curve itself is the same to the bit each time."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TIMES: Final = "times.csv"
COLUMNS: Final = ("steps", "train_s")


def read_times(path: Path, steps: Sequence[int]) -> list[float]:
    """Return the seconds of training at each of `steps`; NaN where the file, or its line, is missing or damaged."""
    known: dict[int, float] = {}
    try:
        for row in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))):
            known[int(row[COLUMNS[0]])] = float(row[COLUMNS[1]])
    except (OSError, ValueError, TypeError, KeyError, csv.Error):
        pass  # a training goes on without it
    return [known.get(step, math.nan) for step in steps]


def encode_times(steps: Sequence[int], times_s: Sequence[float]) -> bytes:
    """Return the file for `read_times`."""
    lines = [f"{step},{time_s:.3f}" for step, time_s in zip(steps, times_s, strict=True)]
    return "\n".join([",".join(COLUMNS), *lines, ""]).encode()
