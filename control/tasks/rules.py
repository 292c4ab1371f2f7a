"""Tuned rules, the opponents without a plan: thresholds on prices, charges in constant stages, the duty as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from control.ports import Decision
from control.tasks.task import TaskKind
from drivers.benchfile.document import Document
from twin.plating import look_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control.ports import Controller, CurrentRange
    from control.tasks.task import ControlTask
    from drivers.snapshot import Estimate, Flags, Floats, PackReading

SCHEMA: Final = "pulsebms.rules/1"
FILE: Final = Path(__file__).parent / "rules.toml"
HOUR_S: Final = 3600.0
BISECTIONS: Final = 20
STAGE_SOC: Final = 0.1  # length of a stage of the multi-stage charge
CELL_OHM_AH: Final = 0.14  # resistance of a cell of 1 Ah within seconds (Chen2020, 5 Ah, 2RC fit: 28 mOhm)
STEP_SHARE: Final = 0.3  # of the voltage error that one step of constant voltage corrects


@dataclass(frozen=True)
class PriceRule:
    """Charge while the price is below a quantile of the known day, discharge while it is above another.

    `buy`, `sell`: the quantiles. `rate`: of the largest current. `spread_eur_kwh`: trade only where the two quantiles
    are at least this far apart. `hysteresis`: after a full or an empty pack, SoC must move back by it.
    """

    buy: float
    sell: float
    rate: float
    spread_eur_kwh: float
    hysteresis: float

    @classmethod
    def read(cls, path: Path = FILE) -> Self:
        """Read the tuned rule; raise `BenchFileError` or `ValueError`."""
        content: dict[str, Any] = Document.read(path).values
        if content.get("schema") != SCHEMA:
            raise ValueError(f"{path}: schema is {content.get('schema')!r}, not {SCHEMA}")
        return cls(**{name: float(content["arbitrage"][name]) for name in cls.__dataclass_fields__})


class PriceTrader:
    """Trades many packs by one rule; it remembers which were full or empty."""

    def __init__(self, task: ControlTask, rule: PriceRule, packs: int) -> None:
        self._task, self._rule = task, rule
        self._waits: Flags = np.zeros((2, packs), np.bool_)  # to charge, to discharge

    def request(self, ahead: Floats, soc: Floats) -> Floats:
        """Return the current (A) of each pack for the prices `ahead[packs, preview]` and the mean `soc[packs]`."""
        rule, (low, high) = self._rule, self._task.limits.soc
        margin = 2.0 * self._task.varies.soc_error
        self._waits[0] = (soc > high - margin) | (self._waits[0] & (soc > high - margin - rule.hysteresis))
        self._waits[1] = (soc < low + margin) | (self._waits[1] & (soc < low + margin + rule.hysteresis))
        buy, sell = np.quantile(ahead, [rule.buy, rule.sell], axis=1)
        pays, now = sell - buy >= rule.spread_eur_kwh, ahead[:, 0]
        charges, discharges = pays & (now <= buy) & ~self._waits[0], pays & (now >= sell) & ~self._waits[1]
        charge_a, discharge_a = self._limit(high - margin - soc), self._limit(soc - low - margin)
        return discharges * np.minimum(rule.rate * self._task.discharge_a, discharge_a) - charges * np.minimum(
            rule.rate * self._task.charge_a, charge_a
        )

    def _limit(self, room: Floats) -> Floats:
        """Return the current that uses up `room` of SoC in one step, for the most aged pack."""
        task = self._task
        return np.maximum(room, 0.0) * task.pack_ah * find_least_capacity(task) * HOUR_S / task.step_s


class PriceRuleController:
    """The price rule for one pack and the prices `signal[steps + preview]`."""

    def __init__(self, task: ControlTask, signal: Floats, rule: PriceRule) -> None:
        self._signal, self._preview, self._step = signal, task.preview, 0
        self._trader = PriceTrader(task, rule, 1)

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
        self._gain_a_v = STEP_SHARE * task.pack_ah / CELL_OHM_AH
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
        return PriceRuleController(task, signal, PriceRule.read())
    if task.kind is TaskKind.CHARGE:
        return StageCharger(task, (task.target_soc,))
    return SignalFollower(signal)


def build_stages(task: ControlTask) -> Controller:
    """Return the multi-stage charge of a task."""
    begins = task.varies.soc[0]
    stages = max(1, round((task.target_soc - begins) / STAGE_SOC))
    return StageCharger(task, tuple(np.linspace(begins, task.target_soc, stages + 1)[1:].tolist()))
