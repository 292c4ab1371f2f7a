"""Wear of a cell: capacity lost a second by its calendar, and lost an Ah by its current (Schmalstieg et al. 2014).

The published law falls with the square root of the charge and the 0.75th power of time. Both are linearised at a
declared age, so that wear is a rate that any controller can weigh against energy. Depth is counted within a half
cycle: the wear of a half cycle of depth D is `(a + b D) D`, so the next Ah at depth d costs `a + 2 b d`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.benchfile.cell_sections import WearSection
from twin.numba_kernel import kernel

if TYPE_CHECKING:
    from drivers.snapshot import Floats

DAY_S: Final = 86400.0
CALENDAR_SLOPE, CALENDAR_OFFSET, CALENDAR_K, CYCLING_CURVE, CYCLING_V, CYCLING_LEAST, CYCLING_DEPTH = range(7)


class WearParameters(WearSection):
    """The constants of the published law for a cell of `cell_ah`, and the age at which it is linearised."""

    def linearise(self, capacity_ah: float) -> Floats:
        """Return the constants `[7]` of `rate_calendar` and `rate_cycling` for a cell of `capacity_ah`."""
        per_s = 0.75 * self.reference_days**-0.25 / DAY_S
        reference_ah = 2.0 * self.reference_cycles * self.cell_ah
        per_ah = 0.5 * reference_ah**-0.5 * self.cell_ah / capacity_ah
        calendar = (self.calendar_per_v * per_s, self.calendar_at_0_v * per_s, self.calendar_k)
        cycling = (self.cycling_per_v2 * per_ah, self.cycling_v, self.cycling_least * per_ah)
        return np.array([*calendar, *cycling, 2.0 * self.cycling_per_depth * per_ah])


NO_WEAR: Final = WearParameters(  # of a cell whose file has none
    cell_ah=1.0,
    calendar_per_v=0.0,
    calendar_at_0_v=0.0,
    calendar_k=0.0,
    cycling_per_v2=0.0,
    cycling_v=0.0,
    cycling_least=0.0,
    cycling_per_depth=0.0,
    reference_days=1.0,
    reference_cycles=1.0,
)


def rate_calendar(wear: Any, ocv_v: Any, kelvin: Any, exp: Any = np.exp) -> Any:
    """Return the fraction of capacity lost a second at rest; numbers, arrays or expressions with their `exp`."""
    return (wear[CALENDAR_SLOPE] * ocv_v + wear[CALENDAR_OFFSET]) * exp(-wear[CALENDAR_K] / kelvin)


def rate_cycling(wear: Any, ocv_v: Any, depth: Any) -> Any:
    """Return the fraction of capacity lost with the next Ah at `depth` (fraction) within the present half cycle."""
    off_v = ocv_v - wear[CYCLING_V]
    return wear[CYCLING_CURVE] * off_v * off_v + wear[CYCLING_LEAST] + wear[CYCLING_DEPTH] * depth


@kernel
def step_wear(  # noqa: PLR0917  # a kernel takes numbers, not records
    wear: Floats, ocv_v: float, kelvin: float, depth: float, charge_ah: float, dt_s: float
) -> float:
    """Return the fraction of capacity lost in `dt_s` while `charge_ah` (magnitude) flowed."""
    slope_v = wear[CALENDAR_SLOPE] * ocv_v + wear[CALENDAR_OFFSET]
    calendar = slope_v * np.exp(-wear[CALENDAR_K] / kelvin) * dt_s
    off_v = ocv_v - wear[CYCLING_V]
    cycling = wear[CYCLING_CURVE] * off_v * off_v + wear[CYCLING_LEAST] + wear[CYCLING_DEPTH] * depth
    return max(0.0, calendar) + cycling * charge_ah
