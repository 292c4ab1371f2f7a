"""The observation of a policy: named values in SI units; the same for training, simulation and bench."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from control import shield
from control.tasks.rules import find_trade
from control.tasks.task import TaskKind

if TYPE_CHECKING:
    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats

HOUR_S, DAY_S = 3600.0, 86400.0
OF_PACK: Final = ("soc", "soc_spread", "high_v", "low_v", "high_k", "last", "charge", "discharge")
RANKED: Final = (6, 12, 24)  # hours ahead, to which the price of now is compared
DUTY_AHEAD: Final = (0, 1, 2, 4, 8, 16, 32)  # steps


class Observer:
    """Builds the observation of a task. `names` is its schema."""

    def __init__(self, task: ControlTask) -> None:
        self._task = task
        self.names = (*OF_PACK, *self._name_signal())

    def build(  # noqa: PLR0917  # one batch of arrays, in the order of the names
        self,
        seen: Floats,
        voltage_v: Floats,
        last_a: Floats,
        allowed: Floats,
        ahead: Floats,
        t_s: Floats,
        settling: Floats | None = None,
        moved: Floats | None = None,
    ) -> Floats:
        """Return `[packs, len(names)]`.

        `seen[8, packs]` and `allowed[2, packs]` as in `control.shield`, `voltage_v[2, packs]` of the lowest and the
        highest cell, `last_a[packs]` the current of the last step, `ahead[packs, preview]` the signal from this step
        on, `t_s[packs]` the time since midnight or since the start; `settling[packs]`: at a market, the price at which
        the energy at the end will be settled, as it is expected now (default: the mean of the prices ahead), and
        `moved[packs]`: by how much SoC has risen since the present half cycle began (default: 0).
        """
        rating_a = self._task.rating_a
        low, high = seen[shield.LOW_SOC], seen[shield.HIGH_SOC]
        soc = 0.5 * (low + high)
        of_pack = (soc, high - low, voltage_v[1], voltage_v[0], seen[shield.HIGH_K], last_a / rating_a)
        return np.vstack([*of_pack, *(allowed / rating_a), *self._describe_signal(ahead, t_s, soc, settling, moved)]).T

    def _name_signal(self) -> tuple[str, ...]:
        if self._task.kind is TaskKind.ARBITRAGE:
            ahead = range(self._count_hours())
            ranks = (f"{kind}_{hours:02d}" for kind in ("cheaper", "rise", "fall") for hours in RANKED)
            return (
                "sin_day",
                "cos_day",
                "mean_price",
                "settling",
                "rule",
                "moved",
                *ranks,
                *(f"price_{hour:02d}" for hour in ahead),
            )
        if self._task.kind is TaskKind.DUTY:
            return tuple(f"duty_{steps}" for steps in self._list_ahead())
        return ("missing_soc",)

    def _describe_signal(
        self, ahead: Floats, t_s: Floats, soc: Floats, settling: Floats | None, moved: Floats | None
    ) -> Floats:
        if self._task.kind is TaskKind.ARBITRAGE:
            moved = np.zeros(len(ahead)) if moved is None else moved
            angle, hours = 2.0 * np.pi * t_s / DAY_S, self._count_hours()
            quarters = np.ascontiguousarray(ahead.T).reshape(hours, -1, len(ahead))
            hourly, now = quarters.mean(axis=1), ahead[:, 0]
            mean = hourly.mean(axis=0)
            ranks = [(hourly[:reach] < now).mean(axis=0) for reach in RANKED]  # shares of the hours ahead
            ranks += [hourly[:reach].max(axis=0) - now for reach in RANKED]
            ranks += [now - hourly[:reach].min(axis=0) for reach in RANKED]
            rule = find_trade(self._task, ahead, soc) / self._task.rating_a
            gain = now - (mean if settling is None else settling)
            return np.vstack([np.sin(angle), np.cos(angle), mean, gain, rule, moved, *ranks, hourly - mean])
        if self._task.kind is TaskKind.DUTY:
            return ahead[:, list(self._list_ahead())].T / self._task.rating_a
        return self._task.target_soc - soc[None]

    def _count_hours(self) -> int:
        return max(1, round(self._task.preview * self._task.step_s / HOUR_S))

    def _list_ahead(self) -> tuple[int, ...]:
        return tuple(steps for steps in DUTY_AHEAD if steps < self._task.preview)
