"""Tuned rules, the opponents without a plan: thresholds on prices, charges in constant stages, the duty as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from control.ports import Decision
from control.tasks.task import TaskKind
from twin.plating import look_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control.ports import Controller, CurrentRange
    from control.tasks.task import ControlTask
    from drivers.snapshot import Estimate, Flags, Floats, PackReading

HOUR_S: Final = 3600.0
BISECTIONS: Final = 20
STAGE_SOC: Final = 0.1  # length of a stage of the multi-stage charge
ANSWER_S: Final = 5.0  # the resistance after it sets the gain of the voltage
STEP_SHARE: Final = 0.3  # of the voltage error that one step of constant voltage corrects


class PriceTrader:
    """Trades many packs by the rule of their task; it remembers which were full or empty."""

    def __init__(self, task: ControlTask, packs: int) -> None:
        self._task = task
        self._waits: Flags = np.zeros((2, packs), np.bool_)  # to charge, to discharge

    def request(self, ahead: Floats, soc: Floats) -> Floats:
        """Return the current (A) of each pack for the prices `ahead[packs, preview]` and the mean `soc[packs]`."""
        (low, high), hysteresis = find_trade_range(self._task), self._task.rule.hysteresis
        self._waits[0] = (soc > high) | (self._waits[0] & (soc > high - hysteresis))
        self._waits[1] = (soc < low) | (self._waits[1] & (soc < low + hysteresis))
        current_a = find_trade(self._task, ahead, soc)
        charges = current_a < 0.0
        current_a[(charges & self._waits[0]) | (~charges & self._waits[1])] = 0.0
        return current_a


def find_trade(task: ControlTask, ahead: Floats, soc: Floats) -> Floats:
    """Return the current (A) that the rule of the task asks for, as far as SoC has room for one step of it."""
    rule, (low, high) = task.rule, find_trade_range(task)
    steps = max(1, round(rule.window_h * HOUR_S / task.step_s))
    window = np.ascontiguousarray(ahead[:, :steps].T)
    now = window[0]
    charges = ((window < now).mean(axis=0) <= rule.buy) & (window.max(axis=0) - now >= rule.spread_eur_kwh)
    discharges = ((window > now).mean(axis=0) <= rule.sell) & (now - window.min(axis=0) >= rule.spread_eur_kwh)
    most_a = task.pack_ah * find_least_capacity(task) * HOUR_S / task.step_s  # for a whole SoC in one step
    charge_a = np.clip((high - soc) * most_a, 0.0, rule.rate * task.charge_a)
    discharge_a = np.clip((soc - low) * most_a, 0.0, rule.rate * task.discharge_a)
    return np.where(discharges, discharge_a, np.where(charges, -charge_a, 0.0))


def find_trade_range(task: ControlTask) -> tuple[float, float]:
    """Return the lowest and the highest SoC to which the rule trades: what the estimate may be off stays free twice."""
    (low, high), margin = task.limits.soc, 2.0 * task.varies.soc_error
    return low + margin, high - margin


class PriceRuleController:
    """The price rule for one pack and the prices `signal[steps + preview]`."""

    def __init__(self, task: ControlTask, signal: Floats) -> None:
        self._signal, self._preview, self._step = signal, task.preview, 0
        self._trader = PriceTrader(task, 1)

    def decide(self, reading: PackReading, estimate: Estimate, allowed: CurrentRange, dt_s: float) -> Decision:
        del reading, allowed, dt_s  # prices and SoC are all that it looks at
        ahead = self._signal[self._step : self._step + self._preview]
        self._step += 1
        return Decision(float(self._trader.request(ahead[None], np.array([estimate.pack_soc]))[0]), 0.0, 0)

    def take_over(self, current_a: float) -> None:
        del current_a  # a rule has no past to match


class StageCharger:
    """Charges with one constant current a stage, each the largest whose anode potential keeps the limit in the table.

    `ends`: SoC at the end of each stage; a single stage is CC-CV. The highest cell keeps the voltage limit by a
    current that falls. The current of a stage is that for the coldest measured temperature when it begins, and for the
    most aged pack of the task, as for the shield.
    """

    def __init__(self, task: ControlTask, ends: Sequence[float]) -> None:
        self._task, self._ends = task, ends
        self._stage, self._stage_a = -1, 0.0
        varies = task.varies
        self._limit_v = task.limits.voltage_v[1] - varies.voltage_bias_v - 3.0 * varies.voltage_noise_v
        self._gain_a_v = STEP_SHARE * task.pack.parallel / task.cell.circuit.find_resistance(ANSWER_S)
        self._held_a = task.charge_a

    def decide(self, reading: PackReading, estimate: Estimate, allowed: CurrentRange, dt_s: float) -> Decision:
        del dt_s
        highest_v, soc = float(reading.voltage_v.max()), float(estimate.soc.max()) + self._task.varies.soc_error
        if not (np.isfinite(highest_v) and np.isfinite(soc)):
            return Decision(0.0, 0.0, 0)
        stage = min(int(np.searchsorted(self._ends, soc)), len(self._ends) - 1)
        if stage != self._stage:
            lowest = float(estimate.soc.min()) - self._task.varies.soc_error
            kelvin = float(reading.temperature_k.min()) - self._task.varies.temperature_bias_k
            self._stage, self._stage_a = stage, find_stage_current(self._task, (lowest, self._ends[stage]), kelvin)
        self._held_a += self._gain_a_v * (self._limit_v - highest_v)
        self._held_a = min(max(self._held_a, 0.0), self._stage_a, allowed.charge_a)
        return Decision(-self._held_a, 0.0, 0)

    def take_over(self, current_a: float) -> None:
        self._held_a = max(0.0, -current_a)


def find_least_capacity(task: ControlTask) -> float:
    """Return the capacity of the most aged cell that the task draws, over a new one; the shield assumes the same."""
    return task.varies.capacity[0] * (1.0 - 3.0 * task.varies.capacity_spread)


def find_stage_current(task: ControlTask, span: tuple[float, float], kelvin: float) -> float:
    """Return the largest charge current (A) that keeps the anode potential of the task over `span` of SoC."""
    table, capacity = task.cell.plating, find_least_capacity(task)
    places = np.linspace(span[0], span[1] + task.varies.soc_error, 21)

    def keeps(current_a: float) -> bool:
        rate_c = current_a / (task.pack_ah * capacity)
        lowest_v = min(look_up(table.anode_v, table.rates_c, table.kelvins, rate_c, kelvin, soc) for soc in places)
        return lowest_v >= task.limits.plating_v

    low_a, high_a = 0.0, task.charge_a
    if keeps(high_a):
        return high_a
    for _ in range(BISECTIONS):
        middle_a = 0.5 * (low_a + high_a)
        low_a, high_a = (middle_a, high_a) if keeps(middle_a) else (low_a, middle_a)
    return low_a


class SignalFollower:
    """Requests the current of the duty, whatever is measured."""

    def __init__(self, signal: Floats) -> None:
        self._signal, self._step = signal, 0

    def decide(self, reading: PackReading, estimate: Estimate, allowed: CurrentRange, dt_s: float) -> Decision:
        del reading, estimate, allowed, dt_s
        self._step += 1
        return Decision(float(self._signal[self._step - 1]), 0.0, 0)

    def take_over(self, current_a: float) -> None:
        del current_a  # a rule has no past to match


def build_rule(task: ControlTask, signal: Floats) -> Controller:
    """Return the rule of a task: thresholds on prices, CC-CV, or the duty as it is."""
    if task.kind is TaskKind.ARBITRAGE:
        return PriceRuleController(task, signal)
    if task.kind is TaskKind.CHARGE:
        return StageCharger(task, (task.target_soc,))
    return SignalFollower(signal)


def build_stages(task: ControlTask) -> Controller:
    """Return the multi-stage charge of a task."""
    begins = task.varies.soc[0]
    stages = max(1, round((task.target_soc - begins) / STAGE_SOC))
    return StageCharger(task, tuple(np.linspace(begins, task.target_soc, stages + 1)[1:].tolist()))
