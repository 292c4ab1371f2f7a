"""The growth of a cell's resistance from steps of the current (numba).

From one second to the next the voltage falls by R0 times the step of the current, and by what the pairs and the charge
add. Errors that last, an offset of the current among them, cancel. Within a second R0 and the fast pairs look alike, so
that both are taken to grow alike unless the steps show otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from twin.network.slow_circuit import (
    CAPACITY_AS,
    CURRENT,
    LONGEST_S,
    OHMIC_V,
    PAIRS_V,
    SOC,
    VOLTAGE,
    find_slope,
)
from twin.numba_kernel import kernel

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.network.filter_settings import CircuitArrays

# Of the steps: sums over the present second, the means of the one before, charge that moved, the sums of the regression
# of the fall on both overvoltages (ALL) and on what the pairs' factor differs by (PAIRS), then the factor on R0 and its
# deviation.
SUM_S, SUM_V, SUM_OHMIC, SUM_PAIRS, SUM_MOVED, LAST_V, LAST_OHMIC, LAST_PAIRS, LAST_MOVED, MOVED = range(10)
ALL_ALL, ALL_PAIRS, PAIRS_PAIRS, ALL_FALL, PAIRS_FALL, ERRORS, COUNT, GROWTH, GROWTH_STD = range(10, 19)
STEPS: Final = 19

SECOND_S: Final = 0.999  # over which samples are averaged; less shows how far current and voltage are apart in time
LEAST_STEP_V: Final = 0.005  # of R0 I, that shows the resistance
LEAST_PAIRS_V: Final = 0.002  # of the pairs' overvoltage, that shows theirs
ALIKE: Final = 0.3  # weight of R0 and the pairs growing alike, to that of the steps, which hardly tell them apart
FORGET_STEPS: Final = 300.0  # such steps after which one counts a third


@kernel
def track_steps(  # noqa: PLR0917  # numba calls by place
    kept: Floats, now: Floats, reading: Floats, circuit: CircuitArrays, settings: Floats, dt_s: float, lost_s: float
) -> bool:
    """Add a sample to the present second of each cell; at its end, regress on the second before. Return if it ended."""
    ended = False
    for n in range(kept.shape[0]):
        own = kept[n]
        own[MOVED] += reading[n, CURRENT] * dt_s / settings[CAPACITY_AS]
        if not np.isfinite(reading[n, VOLTAGE]) or dt_s > LONGEST_S or lost_s > 0.0:
            own[SUM_S : SUM_MOVED + 1] = 0.0
            own[LAST_V] = np.nan
            continue
        own[SUM_S] += dt_s
        own[SUM_V] += dt_s * reading[n, VOLTAGE]
        own[SUM_OHMIC] += dt_s * now[n, OHMIC_V]
        own[SUM_PAIRS] += dt_s * now[n, PAIRS_V]
        own[SUM_MOVED] += dt_s * own[MOVED]
        if own[SUM_S] >= SECOND_S:
            means = own[SUM_V : SUM_MOVED + 1] / own[SUM_S]
            if np.isfinite(own[LAST_V]):
                regress_step(own, means, find_slope(circuit[0], reading[n, SOC]))
            own[LAST_V : LAST_MOVED + 1] = means
            own[SUM_S : SUM_MOVED + 1] = 0.0
            ended = True
    return ended


@kernel
def regress_step(own: Floats, means: Floats, slope_v: float) -> None:
    """Regress what the voltage fell by on R0 I and on the pairs (Ljung 1999, least squares with forgetting)."""
    ohmic, pairs = means[1] - own[LAST_OHMIC], means[2] - own[LAST_PAIRS]
    if abs(ohmic) < LEAST_STEP_V and abs(pairs) < LEAST_PAIRS_V:
        return
    both = ohmic + pairs
    fall = own[LAST_V] - means[0] - slope_v * (means[3] - own[LAST_MOVED])
    own[ALL_ALL : COUNT + 1] *= 1.0 - 1.0 / FORGET_STEPS
    own[ALL_ALL] += both * both
    own[ALL_PAIRS] += both * pairs
    own[PAIRS_PAIRS] += pairs * pairs
    own[ALL_FALL] += both * fall
    own[PAIRS_FALL] += pairs * fall
    own[COUNT] += 1.0
    ridge = (1.0 + ALIKE) * own[PAIRS_PAIRS]
    determinant = own[ALL_ALL] * ridge - own[ALL_PAIRS] ** 2
    if determinant > 0.0:
        own[GROWTH] = (own[ALL_FALL] * ridge - own[PAIRS_FALL] * own[ALL_PAIRS]) / determinant
        more = (own[ALL_ALL] * own[PAIRS_FALL] - own[ALL_PAIRS] * own[ALL_FALL]) / determinant
        own[ERRORS] += (fall - own[GROWTH] * both - more * pairs) ** 2
        own[GROWTH_STD] = np.sqrt(own[ERRORS] / own[COUNT] * ridge / determinant)
