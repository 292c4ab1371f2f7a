"""Jitter: how late a recorded loop served its due instants, and how much of that the machine itself may explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from control.jitter import compute_due_lateness, figures_ms
from drivers.channel_names import LOOP_LATE, LOOP_MISSED, LOOP_NUMBER, LOOP_TURN

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from drivers.snapshot import Floats

COLUMNS: Final = (LOOP_LATE, LOOP_TURN, LOOP_MISSED, LOOP_NUMBER)
MEETS: Final = 2  # the machine may stall a turn twice: when it wakes, and when it or the interpreter's holder works
MOST_MISSED_PCT: Final = 0.1  # of the due instants


@dataclass(frozen=True)
class ServedInstants:
    """Lateness of each due instant in s; `missed`: the number that had no turn of their own."""

    late_s: Floats
    missed: int

    @property
    def missed_pct(self) -> float:
        """Share of the due instants without a turn, NaN where none was due."""
        return 100.0 * self.missed / len(self.late_s) if len(self.late_s) else float("nan")

    def figures_ms(self) -> dict[str, float]:
        """Return `p50`, `p99`, `p999` and `max` over the due instants in ms; NaN if none was due."""
        return figures_ms(self.late_s)


def compute_served(run: Mapping[str, Floats], during: npt.NDArray[np.bool_] | None = None) -> ServedInstants:
    """Compute the lateness from `COLUMNS` and `t_s`; an instant counts if it was due in a state of `during[rows]`.

    An instant was due in the state after the previous turn, so that a stall counts although it trips the bench. A last
    turn that did not end in time made the instants that it covered late at least until its end.
    """
    late_s, missed, t_s = run[LOOP_LATE], run[LOOP_MISSED], run["t_s"]
    if not len(late_s):
        return ServedInstants(np.empty(0), 0)
    own = np.ones(len(late_s), dtype=bool) if during is None else during
    before = np.concatenate([own[:1], own[:-1]])
    period_s = _period_s(t_s - late_s, missed, run[LOOP_NUMBER])
    chosen, left_out = own | before, np.where(before, missed, 0.0)
    late_s, left_out = late_s[chosen], left_out[chosen]
    every = compute_due_lateness(late_s, left_out, period_s)
    rest_s = float(run[LOOP_LATE][-1] + run[LOOP_TURN][-1]) if own[-1] else 0.0
    count = int(rest_s / period_s) if period_s > 0.0 else 0
    unserved = np.array([rest_s - period_s * n for n in range(1, count + 1)], np.float64)
    return ServedInstants(np.concatenate([every, unserved]), int(left_out.sum()) + count)


def is_within(value: float, target: float, own: float) -> bool | None:
    """Return whether `value` is below `target`; None if `MEETS` times the machine's `own` may explain the excess.

    NaN is below no target.
    """
    if value < target:
        return True
    return None if value - MEETS * own < target else False


def _period_s(due_s: Floats, missed: Floats, number: Floats) -> float:
    """Return the time between due instants in s; 0 if unknown. Consecutive turns are `missed` + 1 periods apart."""
    steps_s = np.diff(due_s) / (missed[1:] + 1.0)
    steps_s = steps_s[np.diff(number) == 1.0]
    return float(np.median(steps_s)) if len(steps_s) else 0.0
