"""What the MPC is asked for, as the data of its stages: follow a current or a power, or trade energy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from control.mpc_model import HOUR_S, StageData

if TYPE_CHECKING:
    from drivers.snapshot import Floats

NOTABLE_C: Final = 0.005  # a smaller current does not turn a half cycle
CLOSED: Final = 10.0  # price of any current after the end
TYPICAL_V: Final = 3.7


@dataclass
class MpcGoal:
    """`data[11, horizon]` (see `StageData`), and the settlement of the energy that is left at the end.

    `surplus` and `missing` are the prices of one Wh per Ah more or less than at `reference_soc`.
    """

    data: Floats
    surplus: float = 0.0
    missing: float = 0.0
    reference_soc: float = 0.5


def track_current(reference_c: Floats, wear: float = 0.0) -> MpcGoal:
    """Follow a current (C of the new cell, discharge positive); `wear`: price of all capacity, per squared C."""
    goal = _start(len(reference_c))
    goal.data[StageData.REFERENCE_C], goal.data[StageData.WEIGHT_C] = reference_c, 1.0
    goal.data[StageData.WEAR] = wear
    return goal


def track_power(reference_w: Floats) -> MpcGoal:
    """Follow a power (W per Ah of the new cell, discharge positive)."""
    goal = _start(len(reference_w))
    goal.data[StageData.REFERENCE_W], goal.data[StageData.WEIGHT_W] = reference_w, 1.0 / TYPICAL_V**2
    return goal


@dataclass(frozen=True)
class Market:
    """How energy is paid: `kwh` is the pack's energy per Wh/Ah, `wear_eur` the price of all capacity.

    `settled_eur_kwh` is the price of the energy that the pack has at the end more or less than at `reference_soc`.
    """

    kwh: float
    efficiency: float
    wear_eur: float
    settled_eur_kwh: float
    reference_soc: float


def trade(market: Market, price_eur_kwh: Floats, is_open: Any, step_s: float) -> MpcGoal:
    """Earn by `price_eur_kwh[horizon]` while `is_open[horizon]`; costs are scaled to about 1 for an hour of 1C.

    The converter loses on both ways: with the efficiency e a kWh costs p/e and earns p e. Written as
    `p (1/e + e)/2` for what is stored and `p (1/e - e)/2` for what flows, it is smooth. A negative price charges
    nothing for the flow, or the plan would burn energy by charging and discharging at once.
    """
    goal, e = _start(len(price_eur_kwh)), market.efficiency
    scale = HOUR_S / step_s / max(1e-9, float(np.abs(price_eur_kwh).mean()) * market.kwh * TYPICAL_V)
    price = price_eur_kwh * market.kwh * scale
    last = price[np.maximum(0, np.count_nonzero(is_open) - 1)]
    price = np.where(is_open, price, last)
    stored, flows = 0.5 * (1.0 / e + e), 0.5 * (1.0 / e - e)
    goal.data[StageData.STORE, 1:] = -np.diff(price) * stored
    goal.data[StageData.LOSS] = price * stored
    goal.data[StageData.CONVERTER] = np.maximum(price, 0.0) * flows
    goal.data[StageData.WEAR] = np.where(is_open, market.wear_eur * scale, 0.0)
    goal.data[StageData.IDLE] = np.where(is_open, 0.0, CLOSED)
    settled, kept = market.settled_eur_kwh * market.kwh * scale, price[-1] * stored
    goal.surplus, goal.missing = kept - settled * e, settled / e - kept
    goal.reference_soc = market.reference_soc
    return goal


def mark_half_cycles(data: Floats, inputs: Floats, direction: float) -> None:
    """Fill in to which half cycles the stages belong under `inputs[2, horizon]`.

    `direction`: of the half cycle that goes on, 1 discharges, -1 charges, 0 for none.
    """
    net = inputs[0] - inputs[1]
    signs = np.concatenate([[direction], np.where(np.abs(net) > NOTABLE_C, np.sign(net), 0.0)])
    moving = np.flatnonzero(signs)
    if len(moving):  # a pause belongs to the half cycle that is nearer
        middles = 0.5 * (moving[:-1] + moving[1:])
        signs = signs[moving[np.searchsorted(middles, np.arange(len(signs)))]]
    turns = np.diff(signs) != 0.0
    data[StageData.GOES_ON] = ~turns
    data[StageData.ENDS] = np.append(turns[1:], True)


def _start(horizon: int) -> MpcGoal:
    goal = MpcGoal(np.zeros((len(StageData), horizon)))
    goal.data[StageData.GOES_ON] = 1.0
    return goal
