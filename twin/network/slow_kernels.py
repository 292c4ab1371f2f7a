"""One sample of every cell through the slow lane, and what it knows then (numba)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from twin.network.rest_kernels import track_rests
from twin.network.slow_circuit import follow_circuit
from twin.network.step_kernels import COUNT, GROWTH, GROWTH_STD, track_steps
from twin.numba_kernel import kernel

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.network.filter_settings import CircuitArrays

LEAST_COUNT: Final = 20.0  # steps that tell their error
KNOWN_STD: Final = (0.05, 0.10)  # of capacity and resistance: a value that is less certain is not known yet
FILE_STD: Final = (0.01, 0.05)  # likewise, of sensor and cell file: no repetition makes it smaller (docs/lanes.md)


@kernel
def track_cells(  # noqa: PLR0917  # as above
    kept: tuple[Floats, Floats, Floats],
    reading: Floats,
    circuit: CircuitArrays,
    settings: Floats,
    dt_s: float,
    lost_s: float,
) -> tuple[bool, bool]:
    """Add a sample after `dt_s`; return whether a second ended, and whether a rest shows capacity, in any cell.

    `kept`: `[n, CIRCUIT]`, `[n, STEPS]` and `[n, RESTS]`; `lost_s`: time before the sample without a known current.
    """
    now, steps, rests = kept
    follow_circuit(now, reading, circuit, settings, dt_s)
    ended = track_steps(steps, now, reading, circuit, settings, dt_s, lost_s)
    return ended, track_rests(rests, now, reading, circuit, settings, dt_s, lost_s)


@kernel
def keep_known(capacity: Floats, capacity_std: Floats, steps: Floats) -> Floats:
    """Return `[4, n]`: capacity, resistance, each followed by its whole deviation; NaN where too uncertain."""
    out = np.full((4, capacity.shape[0]), np.nan)
    for n in range(capacity.shape[0]):
        step_std = steps[n, GROWTH_STD] if steps[n, COUNT] >= LEAST_COUNT else np.nan
        capacity_all, step_all = np.hypot(capacity_std[n], FILE_STD[0]), np.hypot(step_std, FILE_STD[1])
        if capacity_all <= KNOWN_STD[0]:
            out[0, n], out[1, n] = capacity[n], capacity_all
        if step_all <= KNOWN_STD[1]:
            out[2, n], out[3, n] = steps[n, GROWTH], step_all
    return out
