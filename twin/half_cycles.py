"""Half cycles of a charge that moves: how deep is the present one (rainflow counting, ASTM E1049-85, section 5.4.4).

A small cycle within a larger one is counted beside it and does not shorten it: when the charge comes back to where it
turned, the larger half cycle goes on. So a pulse against the current makes nothing cheaper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from twin.numba_kernel import kernel

if TYPE_CHECKING:
    from drivers.snapshot import Floats

TURN_SOC: Final = 0.002  # an estimated charge that comes back by less may be noise
POINTS: Final = 24  # turns that are remembered; beyond, the oldest pair is forgotten
NUMBER, FAR, DIRECTION, FIRST = range(4)  # FIRST: the place of the first turn
WIDTH: Final = FIRST + POINTS


def make_turns(socs: Floats) -> Floats:
    """Return the memory `[len(socs), WIDTH]` of packs that begin at `socs`; NaN: at the first charge that comes."""
    turns = np.zeros((len(socs), WIDTH))
    turns[:, NUMBER], turns[:, FAR], turns[:, FIRST] = 1.0, socs, socs
    return turns


@kernel
def follow_charge(turns: Floats, soc: float, least: float) -> float:
    """Take the charge of one pack at `soc` into `turns[WIDTH]`; return the depth of its present half cycle.

    The charge turns where it has come back by more than `least`. `turns[DIRECTION]` is 1 while it charges, else -1.
    """
    if np.isnan(turns[FIRST]):
        turns[FIRST] = turns[FAR] = soc
    direction, back = turns[DIRECTION], turns[DIRECTION] * (turns[FAR] - soc)
    if direction == 0.0:
        if abs(soc - turns[FIRST]) > least:
            turns[DIRECTION], turns[FAR] = np.sign(soc - turns[FIRST]), soc
    elif back > least:
        _remember(turns, turns[FAR])
        turns[DIRECTION], turns[FAR] = -direction, soc
    elif back < 0.0:
        turns[FAR] = soc
    return abs(soc - _close(turns))


def follow_charges(turns: Floats, socs: Floats, least: float) -> Floats:
    """Take the charges `socs[packs]` into `turns[packs, WIDTH]`; return by how much each has moved since its turn."""
    moved = np.empty(len(socs))
    _follow_all(turns, socs, least, moved)
    return moved


@kernel
def _follow_all(turns: Floats, socs: Floats, least: float, moved: Floats) -> None:
    for pack in range(len(socs)):
        moved[pack] = follow_charge(turns[pack], socs[pack], least) * turns[pack, DIRECTION]


@kernel
def _remember(turns: Floats, soc: float) -> None:
    if turns[NUMBER] == POINTS:
        turns[FIRST : FIRST + POINTS - 2] = turns[FIRST + 2 :].copy()
        turns[NUMBER] -= 2.0
    turns[FIRST + int(turns[NUMBER])] = soc
    turns[NUMBER] += 1.0


@kernel
def _close(turns: Floats) -> float:
    """Forget the cycles that the present half cycle has closed; return where it began."""
    last = FIRST + int(turns[NUMBER]) - 1
    while last > FIRST and abs(turns[FAR] - turns[last]) >= abs(turns[last] - turns[last - 1]):
        if last == FIRST + 1:  # the first half cycle is complete: it has no other half
            turns[FIRST] = turns[last]
            last = FIRST
        else:
            last -= 2
    turns[NUMBER] = float(last - FIRST + 1)
    return turns[last]
