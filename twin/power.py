"""State of power: the constant current that the weakest cell allows for ten seconds, and the pack's power at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from twin.numba_kernel import kernel

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.ports import PackSpec

HORIZON_S: Final = 10.0


class VoltageForecast(NamedTuple):
    """Each cell's voltage `HORIZON_S` from now as a straight line: `open_v[n] - drop_ohm[n] i`, i in A of the pack.

    `open_var[n]`, `drop_var[n]` and `both_var[n]` are the variances of the two and their covariance;
    `charge_as[n]` is the charge from the present state to empty, `room_as[n]` to full.
    """

    open_v: Floats
    drop_ohm: Floats
    open_var: Floats
    drop_var: Floats
    both_var: Floats
    charge_as: Floats
    room_as: Floats


class PowerBounds(NamedTuple):
    """The limits of a cell's voltage (V) and of the pack's current (A, magnitudes)."""

    low_v: float
    high_v: float
    charge_a: float
    discharge_a: float


def find_bounds(pack: PackSpec) -> PowerBounds:
    """Return what both the cell bears and its BMS allows."""
    bears, allows, element_ah = pack.cell.limits, pack.cell.bms, pack.element_ah
    rates_c = min(bears.charge_c, allows.charge_c), min(bears.discharge_c, allows.discharge_c)
    low_v, high_v = max(bears.low_v, allows.low_v), min(bears.high_v, allows.high_v)
    return PowerBounds(low_v, high_v, *(rate_c * element_ah for rate_c in rates_c))


@kernel
def compute_power(reach: VoltageForecast, bounds: PowerBounds) -> tuple[float, float, float, float]:
    """Return discharge power and charge power, each followed by its standard deviation (W, after `HORIZON_S`)."""
    give_w, give_std_w = _compute_limit(reach, bounds.low_v, reach.charge_as, bounds.discharge_a, 1.0)
    take_w, take_std_w = _compute_limit(reach, bounds.high_v, reach.room_as, bounds.charge_a, -1.0)
    return give_w, give_std_w, take_w, take_std_w


@kernel
def _compute_limit(
    reach: VoltageForecast, limit_v: float, left_as: Floats, most_a: float, sign: float
) -> tuple[float, float]:
    """Return power and deviation in one direction (`sign` 1 to discharge, -1 to charge).

    `left_as[n]` and `most_a` limit the current independently of the voltage.
    """
    weakest, current_a = 0, np.inf
    for n in range(len(reach.open_v)):
        by_voltage_a = sign * (reach.open_v[n] - limit_v) / reach.drop_ohm[n]
        each_a = max(0.0, min(by_voltage_a, most_a, left_as[n] / HORIZON_S))
        if each_a < current_a:
            weakest, current_a = n, each_a
    through_a = sign * current_a
    pack_v, spread = 0.0, 0.0
    for n in range(len(reach.open_v)):
        pack_v += reach.open_v[n] - reach.drop_ohm[n] * through_a
        spread += _voltage_variance(reach, n, through_a)
    power_var = current_a**2 * spread
    by_voltage_a = sign * (reach.open_v[weakest] - limit_v) / reach.drop_ohm[weakest]
    if by_voltage_a < min(most_a, left_as[weakest] / HORIZON_S):  # then the weakest cell's voltage adds its variance
        power_var += (pack_v / reach.drop_ohm[weakest]) ** 2 * _voltage_variance(reach, weakest, through_a)
    return current_a * pack_v, np.sqrt(power_var)


@kernel
def _voltage_variance(reach: VoltageForecast, n: int, through_a: float) -> float:
    """Return the variance of the voltage of cell `n` under `through_a`."""
    return reach.open_var[n] - 2.0 * through_a * reach.both_var[n] + through_a**2 * reach.drop_var[n]
