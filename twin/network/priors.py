"""What is known of a circuit before any log: its tables are smooth over state of charge and temperature.

Each line of `matrix @ vector = values` is one statement with standard deviation 1. They carry the parameters that the
logs do not settle: second differences pull a node to the line between its neighbours (Eilers and Marx 1996, penalised
splines).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import scipy.sparse

from drivers.benchfile.network_section import PAIRS
from twin.network.layout import Layout, pack
from twin.network.network import FIELDS, SHIFT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.snapshot import Floats
    from twin.network.network import Network

_SPARSE: Any = scipy.sparse  # carries no types
Statement = tuple[list[int], list[float], float, float]  # places, factors, value, standard deviation

BENT_V: Final = (0.010, 0.020)  # of dU between neighbours, over state of charge and over temperature
BENT_LOG: Final = (0.15, 0.30)  # of the logarithm of a resistance
STEP_V_K, STEP_LOG_K = 0.002, 0.03  # of dU and of a resistance, for each K from one temperature to the next
SHIFT_V: Final = 0.10  # of dU itself
START_LOG: Final = 1.0  # of the logarithm of a resistance around its start
THERMAL_LOG: Final = 0.5
THERMAL_STEP_LOG: Final = 0.15  # from one temperature to the next
TAU_LOG: Final = (0.2, 0.2, 0.2, 0.2)  # of a time constant around its start
TAU_STEP_LOG: Final = 0.1
CORE_LOG: Final = 0.5  # of the warmth of the core


def make_priors(start: Network) -> tuple[Any, Floats]:
    """Return the sparse `matrix[statements, parameters]` and the `values[statements]` around a start."""
    statements = [*_state_tables(start), *_state_times(start)]
    places = np.concatenate([place for place, *_ in statements])
    factors = np.concatenate([np.array(factor) / std for _, factor, _, std in statements])
    rows = np.repeat(np.arange(len(statements)), [len(place) for place, *_ in statements])
    matrix = _SPARSE.csr_matrix((factors, (rows, places)), shape=(len(statements), Layout.of(start).size))
    return matrix, np.array([value / std for *_, value, std in statements])


def _state_tables(start: Network) -> Iterator[Statement]:
    layout, mean = Layout.of(start), pack(start)
    for field in range(FIELDS):
        over_soc, over_kelvin = BENT_V if field == SHIFT else BENT_LOG
        places = layout.table(field) + np.arange(layout.kelvins * layout.socs).reshape(layout.kelvins, layout.socs)
        for line in places:
            yield from _state_bends(line.tolist(), start.socs, over_soc)
        for line in places.T:
            yield from _state_bends(line.tolist(), start.kelvins, over_kelvin)
            yield from _state_steps(line.tolist(), start.kelvins, mean, STEP_V_K if field == SHIFT else STEP_LOG_K)
        for place in places.ravel().tolist():
            yield [place], [1.0], mean[place], SHIFT_V if field == SHIFT else START_LOG


def _state_bends(places: list[int], axis: Floats, std: float) -> Iterator[Statement]:
    """Yield that each inner node lies on the line between its neighbours, within `std`."""
    for middle in range(1, len(places) - 1):
        left, right = axis[middle] - axis[middle - 1], axis[middle + 1] - axis[middle]
        around = places[middle - 1 : middle + 2]
        yield around, [right / (left + right), -1.0, left / (left + right)], 0.0, std


def _state_steps(places: list[int], kelvins: Floats, mean: Floats, std_k: float) -> Iterator[Statement]:
    """Yield that a parameter steps over temperature as it does in the start: what one test settles serves the next."""
    for (left, right), wide_k in zip(itertools.pairwise(places), np.diff(kelvins), strict=True):
        yield [left, right], [-1.0, 1.0], mean[right] - mean[left], std_k * float(wide_k)


def _state_times(start: Network) -> Iterator[Statement]:
    layout, mean = Layout.of(start), pack(start)
    lines = [(layout.thermal, 1, THERMAL_LOG, THERMAL_STEP_LOG)]
    lines += [(layout.tau(pair), PAIRS, TAU_LOG[pair], TAU_STEP_LOG) for pair in range(PAIRS)]
    for first, stride, std, step in lines:
        for place in range(first, first + stride * layout.kelvins, stride):
            yield [place], [1.0], mean[place], std
            if place > first:
                yield [place - stride, place], [-1.0, 1.0], mean[place] - mean[place - stride], step
    yield [layout.core], [1.0], mean[layout.core], CORE_LOG
