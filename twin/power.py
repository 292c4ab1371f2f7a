"""State of power: what the weakest cell allows for 10 and 60 s, and the pack's power at it.

Four limits bound the constant current of a horizon: the voltage at its end, the charge that is left, the temperature at
its end, and the current that the BMS allows (Plett 2004, J. Power Sources 134, 277, part 3, section 4.3). Each is found
with its standard deviation, so that the interval holds where another limit than that of the value may become the least.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from twin.numba_kernel import kernel
from twin.ports import StateOfPower

if TYPE_CHECKING:
    from drivers.snapshot import Floats, PackReading
    from twin.ports import PackSpec

HORIZONS_S: Final = (10.0, 60.0)
WITHIN: Final = 1.96  # deviations of a 95 % interval
DIRECTIONS: Final = 2  # discharge, charge
# Of a cell's voltage at the end of a horizon: `open_v - drop_ohm i` with i in A of the pack, variances and covariance
# of both, and the slope (ohm) where the voltage meets its limit.
LINE_OPEN, LINE_DROP, LINE_OPEN_VAR, LINE_DROP_VAR, LINE_BOTH_VAR, LINE_SLOPE = range(6)
LINE: Final = 6
# Of a cell now: SoC, its deviation, the charge from empty to full (As of the pack's current), temperature (K).
CELL_SOC, CELL_SOC_STD, CELL_CHARGE_AS, CELL_KELVIN = range(4)
CELL: Final = 4
VALUE, LOW, HIGH = range(3)
LEAST_OHM: Final = 1e-9
# What a drop of voltage may be off by: of two pairs that were tested with small currents at 25 degC (the least of 0.1,
# 0.15, 0.2, 0.25, 0.3, 0.4 that holds 95 % of the powers of the DFNs of Marquis2019, Mohtat2020 and NCA_Kim2011 within
# their own currents; `measure estimators` judges on other cells), and of a circuit fitted at all temperatures.
TABLE_SHARE: Final = 0.30
FITTED_SHARE: Final = 0.10


class PowerBounds(NamedTuple):
    """Limits of a cell's voltage (V) and temperature (K), and of the pack's current (A, magnitudes).

    `heat_j_k`: the heat capacity of a series element. `drop_share`: the deviation of a drop of voltage, as a share of
    it, beside what the filter itself knows.
    """

    low_v: float
    high_v: float
    low_k: float
    high_k: float
    charge_a: float
    discharge_a: float
    heat_j_k: float
    drop_share: float


def find_bounds(pack: PackSpec) -> PowerBounds:
    """Return what the cell bears, its BMS keeps and the bench file allows, all three."""
    bears, keeps, allows, element_ah = pack.cell.limits, pack.cell.bms, pack.limits, pack.element_ah
    return PowerBounds(
        max(bears.low_v, keeps.low_v, allows.low_v),
        min(bears.high_v, keeps.high_v, allows.high_v),
        max(bears.low_k, keeps.low_k, allows.low_k),
        min(bears.high_k, keeps.high_k, allows.high_k),
        min(min(bears.charge_c, keeps.charge_c) * element_ah, allows.charge_a),
        min(min(bears.discharge_c, keeps.discharge_c) * element_ah, allows.discharge_a),
        pack.cell.estimator.heat_capacity_j_k * element_ah / pack.cell.nominal_ah,
        TABLE_SHARE,
    )


def narrow_bounds(bounds: PowerBounds, reading: PackReading) -> PowerBounds:
    """Return the bounds with the currents that the device allows now; one that it does not say bounds nothing."""
    charge_a, discharge_a = reading.charge_limit_a, reading.discharge_limit_a
    if charge_a >= bounds.charge_a and discharge_a >= bounds.discharge_a:
        return bounds
    return bounds._replace(
        charge_a=bounds.charge_a if np.isnan(charge_a) else min(max(charge_a, 0.0), bounds.charge_a),
        discharge_a=bounds.discharge_a if np.isnan(discharge_a) else min(max(discharge_a, 0.0), bounds.discharge_a),
    )


def is_held(reading: PackReading) -> bool:
    """Return whether the power rests on held values: a current, a voltage, a temperature or a limit is not known."""
    known = np.isfinite(reading.voltage_v).all() and np.isfinite(reading.temperature_k).all()
    limits = reading.charge_limit_a + reading.discharge_limit_a
    return not (known and np.isfinite(reading.current_a)) or bool(np.isnan(limits))


def list_powers(powers: Floats) -> tuple[StateOfPower, ...]:
    """Return the rows of `find_power` by horizon."""
    return tuple(StateOfPower(*row) for row in powers.tolist())


@kernel
def find_power(lines: Floats, cells: Floats, rise_k_w: Floats, bounds: PowerBounds) -> Floats:
    """Return `[horizons, 6]`: the values of `StateOfPower` by horizon.

    `lines[horizons, 2, n, LINE]`: of discharge and charge; `cells[n, CELL]`; `rise_k_w[horizons]`: how much warmer a
    cell is at the end (K) for each W of heat. A current holds at every horizon up to its own, and its power is the
    least of their ends.
    """
    out = np.empty((lines.shape[0], 2 * 3))
    for direction in range(DIRECTIONS):
        sign = 1.0 if direction == 0 else -1.0
        currents = np.full(3, bounds.discharge_a if direction == 0 else bounds.charge_a)
        for h in range(lines.shape[0]):
            horizon_s = HORIZONS_S[h]
            for n in range(lines.shape[2]):
                limit_current(lines[h, direction, n], cells[n], sign, horizon_s, rise_k_w[h], bounds, currents)
            for side in range(3):
                at = 3 * direction + side
                out[h, at] = currents[side] * find_pack_voltage(lines[h, direction], sign, currents[side], side, bounds)
                if h > 0:
                    out[h, at] = min(out[h, at], out[h - 1, at])
            out[h, 3 * direction + LOW] = min(out[h, 3 * direction + LOW], out[h, 3 * direction])
            out[h, 3 * direction + HIGH] = max(out[h, 3 * direction + HIGH], out[h, 3 * direction])
    return out


@kernel
def limit_current(  # noqa: PLR0917  # numba calls by place
    line: Floats, cell: Floats, sign: float, horizon_s: float, rise_k_w: float, bounds: PowerBounds, currents: Floats
) -> None:
    """Lower `currents[3]` (A: value, low and high side) to what one cell allows; a value that is NaN allows nothing."""
    limit_v = bounds.low_v if sign > 0.0 else bounds.high_v
    volt_a = sign * (line[LINE_OPEN] - limit_v) / line[LINE_DROP]
    volt_std_a = np.sqrt(find_voltage_variance(line, sign * max(volt_a, 0.0), bounds.drop_share)) / line[LINE_SLOPE]
    per_soc_a = cell[CELL_CHARGE_AS] / horizon_s
    left_a = per_soc_a * (cell[CELL_SOC] if sign > 0.0 else 1.0 - cell[CELL_SOC])
    room_k = bounds.high_k - cell[CELL_KELVIN] if cell[CELL_KELVIN] >= bounds.low_k else 0.0
    heat_a2 = max(room_k, 0.0) / (rise_k_w * line[LINE_DROP])
    share = np.sqrt(line[LINE_DROP_VAR] / line[LINE_DROP] ** 2 + bounds.drop_share**2)
    for side in range(3):
        away = 0.0 if side == VALUE else (-WITHIN if side == LOW else WITHIN)
        by_volt_a, by_soc_a = volt_a + away * volt_std_a, left_a + away * per_soc_a * cell[CELL_SOC_STD]
        by_heat_a = np.sqrt(heat_a2 * max(1.0 + away * share, 0.0))
        least_a = min(by_volt_a, by_soc_a, by_heat_a)
        currents[side] = min(currents[side], least_a) if least_a > 0.0 else 0.0


@kernel
def find_pack_voltage(lines: Floats, sign: float, current_a: float, side: int, bounds: PowerBounds) -> float:
    """Return the voltage (V) of the pack at the end of a horizon: expected, or the low or high side of its interval.

    All cells err alike: one table and one kind of model serve them all.
    """
    pack_v, std_v = 0.0, 0.0
    for n in range(lines.shape[0]):
        cell_v = lines[n, LINE_OPEN] - sign * current_a * lines[n, LINE_DROP]
        pack_v += min(max(cell_v, bounds.low_v), bounds.high_v)  # the current is such that it holds them
        std_v += np.sqrt(find_voltage_variance(lines[n], sign * current_a, bounds.drop_share))
    away = 0.0 if side == VALUE else (-WITHIN if side == LOW else WITHIN)
    return pack_v + away * std_v


@kernel
def find_voltage_variance(line: Floats, through_a: float, drop_share: float) -> float:
    """Return the variance (V^2) of a cell's voltage at the end of a horizon under `through_a`."""
    spread = line[LINE_OPEN_VAR] - 2.0 * through_a * line[LINE_BOTH_VAR] + through_a**2 * line[LINE_DROP_VAR]
    return max(spread, 0.0) + (drop_share * line[LINE_DROP] * through_a) ** 2
