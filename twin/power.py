"""State of power: the constant current that the weakest cell bears for ten seconds, and the pack's power with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from drivers.snapshot import Floats

AHEAD_S: Final = 10.0


class Reach(NamedTuple):
    """Each cell's voltage `AHEAD_S` from now as a straight line: `open_v[n] - drop_ohm[n] i`, i in A of the pack.

    `open_var[n]`, `drop_var[n]` and `both_var[n]` are the variances of the two and their covariance;
    `charge_as[n]` what lies between the cell and empty, `room_as[n]` between it and full.
    """

    open_v: Floats
    drop_ohm: Floats
    open_var: Floats
    drop_var: Floats
    both_var: Floats
    charge_as: Floats
    room_as: Floats


class Bounds(NamedTuple):
    """What a cell may show (V) and the pack may carry (A, magnitudes)."""

    low_v: float
    high_v: float
    charge_a: float
    discharge_a: float


def able(reach: Reach, bounds: Bounds) -> tuple[float, float, float, float]:
    """Discharge power, its standard deviation, charge power, its standard deviation (W, at the end of the time)."""
    give = _power(reach, bounds.low_v, np.minimum(bounds.discharge_a, reach.charge_as / AHEAD_S), 1.0)
    take = _power(reach, bounds.high_v, np.minimum(bounds.charge_a, reach.room_as / AHEAD_S), -1.0)
    return *give, *take


def _power(reach: Reach, limit_v: float, most_a: Floats, sign: float) -> tuple[float, float]:
    """`most_a[n]` bounds the current whatever the voltage says; `sign` is 1 for discharge and -1 for charge."""
    by_voltage_a = sign * (reach.open_v - limit_v) / reach.drop_ohm
    each_a = np.maximum(0.0, np.minimum(by_voltage_a, most_a))
    weakest = int(np.argmin(each_a))
    current_a = float(each_a[weakest])
    through_a = sign * current_a
    pack_v = float(np.sum(reach.open_v - reach.drop_ohm * through_a))
    spread = reach.open_var - 2.0 * through_a * reach.both_var + through_a**2 * reach.drop_var  # of each voltage
    power_var = current_a**2 * float(np.sum(spread))
    if by_voltage_a[weakest] < most_a[weakest]:  # then the current is as unsure as the weakest cell's voltage
        power_var += (pack_v / float(reach.drop_ohm[weakest])) ** 2 * float(spread[weakest])
    return current_a * pack_v, float(np.sqrt(power_var))
