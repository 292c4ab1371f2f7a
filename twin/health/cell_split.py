"""Splits by cell, never by row: rows of one cell repeat what is peculiar to it."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.snapshot import Flags
    from drivers.table_file import Numbers, Texts

HELD_SHARE: Final = 5  # one cell of so many is held
FOLDS: Final = 5
MANY: Final = 20  # cells; with fewer, more folds
RULE: Final = f'held where crc32("held" + cell) % {HELD_SHARE} == 0'


def is_held(cell: str) -> bool:
    """Return whether a cell is only scored: decided by its name alone, before anything is fitted."""
    return zlib.crc32(f"held{cell}".encode()) % HELD_SHARE == 0


def find_held(cells: Texts | Sequence[str]) -> Flags:
    """Return for each row whether its cell is held."""
    held = {cell: is_held(cell) for cell in dict.fromkeys(cells)}
    return np.array([held[cell] for cell in cells], dtype=np.bool_)


def make_folds(cells: Texts | Sequence[str]) -> Numbers:
    """Return for each row the number of its fold, from 0; all rows of a cell are in one fold."""
    names = sorted(set(cells))
    folds = min(len(names), FOLDS if len(names) >= MANY else 2 * FOLDS)
    fold_of = {name: number % folds for number, name in enumerate(names)}
    return np.array([fold_of[cell] for cell in cells], dtype=np.int64)
