"""Numbers and times as cells of a file hold them: typed, or as text with any decimal sign."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from drivers.logs.table import Cells
    from drivers.snapshot import Flags, Floats

EMPTY: Final = frozenset({"", "nan", "na", "n/a", "-", "--", "---", "null", "none", "inf", "-inf"})
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?")
_LONGEST: Final = 40  # characters; a longer text is no number


def parse_number(text: str, *, decimal_comma: bool = False) -> float:
    """Return the number that a text holds, NaN for any other text; groups of thousands may be apart."""
    text = text.strip().strip("'\"").replace("\N{MINUS SIGN}", "-")
    if "," in text or decimal_comma:
        group, sign = (".", ",") if decimal_comma else (",", ".")
        text = text.replace(group, "") if sign in text or text.count(group) > 1 or not decimal_comma else text
        text = text.replace(sign, ".")
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        return math.nan
    return float(text.replace("d", "e").replace("D", "e"))


def to_numbers(cells: Cells, *, decimal_comma: bool = False) -> tuple[Floats, Flags]:
    """Return the cells as numbers, and which of them hold text that is no number; an empty cell is NaN."""
    if cells.dtype.kind in "fiub":
        return cells.astype(np.float64), np.zeros(len(cells), dtype=bool)
    if not decimal_comma:
        try:
            return cells.astype(np.float64), np.zeros(len(cells), dtype=bool)
        except (ValueError, TypeError, OverflowError):
            pass  # the slow way says which cell it is
    numbers = np.array([_to_number(cell, decimal_comma) for cell in cells.tolist()], dtype=np.float64)
    wrong = [isinstance(cell, str) and cell.strip().lower() not in EMPTY for cell in cells.tolist()]
    return numbers, np.isnan(numbers) & np.array(wrong, dtype=bool)


def _to_number(cell: Any, decimal_comma: bool) -> float:  # noqa: FBT001  # one cell of a column
    if isinstance(cell, str):
        return parse_number(cell, decimal_comma=decimal_comma)
    try:
        return float(cell)
    except (ValueError, TypeError, OverflowError):
        return math.nan
