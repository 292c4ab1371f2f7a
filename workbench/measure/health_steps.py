"""State of health after a step of 20 %: the slow lane on known cells, whose ages are the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from workbench.measure.metric import MeasuredMetric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.snapshot import Floats
    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow

RUNS: Final = 5  # of each sign of the sensor's offset
CYCLES: Final = 4  # after the step
WITHIN: Final = 1.96  # deviations of a 95 % interval
_WHAT: Final = f"after a step of 20 % and {CYCLES} cycles, worst error"
CAPACITY: Final = MeasuredMetric(f"SoH, capacity {_WHAT}", "%", "<=", 4.0)
OHMIC: Final = MeasuredMetric(f"SoH, resistance where R0 alone grows, {_WHAT}", "%", "<=", 5.0)
ALL: Final = MeasuredMetric(f"SoH, resistance where R0 and pairs grow alike or not at all, {_WHAT}", "%", "<=", 2.0)
INSIDE: Final = MeasuredMetric(f"SoH, inside the 95 % interval {_WHAT.partition(',')[0]}", "%", ">=", 90.0)
METRICS: Final = (CAPACITY, OHMIC, ALL, INSIDE)


class StepErrors(NamedTuple):
    """Errors and deviations `[runs, cycles, cells]` (fractions) of capacity and of resistance."""

    capacity: Floats
    capacity_std: Floats
    resistance: Floats
    resistance_std: Floats


def measure(job: MeasureJob) -> Iterator[MeasureRow]:
    """Age the cells of `aged_cells` after one cycle, and judge what is told after each of four more."""
    job.say("state of health after a step")
    runs = job.times(RUNS)
    errors = follow_steps(runs)
    capacity, resistance = np.abs(errors.capacity), np.abs(errors.resistance)
    told = f"{2 * runs} runs of 4 known cells with 2 mV of noise and a current sensor off by 0.005 C, both signs"
    yield CAPACITY.make_row(100.0 * _find_last(capacity), None, f"{told}; {_list_cycles(capacity)}")
    ohmic, others = resistance[..., 1:2], resistance[..., [0, 2, 3]]
    yield OHMIC.make_row(100.0 * _find_last(ohmic), None, f"{told}; {_list_cycles(ohmic)}")
    yield ALL.make_row(100.0 * _find_last(others), None, f"{told}; {_list_cycles(others)}")
    inside = [capacity[:, -1] < WITHIN * errors.capacity_std[:, -1]]
    inside.append(resistance[:, -1] < WITHIN * errors.resistance_std[:, -1])
    shares = [100.0 * float(np.mean(one)) for one in inside]
    told = f"{told}; capacity {shares[0]:.0f} %, resistance {shares[1]:.0f} %"
    yield INSIDE.make_row(float(np.mean(shares)), None, told)


def follow_steps(runs: int) -> StepErrors:
    """Return the errors of `runs` drives with each sign of the offset; NaN where nothing is told."""
    from workbench.measure.aged_cells import (  # noqa: PLC0415  # numba takes a moment
        AGED,
        NEW,
        OFFSET_A,
        feed_cycles,
        make_slow,
    )

    capacity, resistance, _ = np.array(AGED).T
    found: list[list[Floats]] = []
    for run in range(runs):
        for side in (1.0, -1.0):
            slow, first = make_slow(len(AGED)), 100 * (run + 1)
            feed_cycles(slow, [NEW] * len(AGED), (first,), offset_a=side * OFFSET_A, seed=first)
            after: list[Floats] = []
            for cycle in range(first + 1, first + 1 + CYCLES):
                soh = feed_cycles(slow, AGED, (cycle,), offset_a=side * OFFSET_A, seed=cycle)
                errors = soh.capacity - capacity, soh.capacity_std, soh.resistance - resistance, soh.resistance_std
                after.append(np.array(errors))
            found.append(after)
    return StepErrors(*np.moveaxis(np.array(found), 2, 0))


def _find_last(errors: Floats) -> float:
    """Return the largest error after the last cycle; NaN if one is not told."""
    return float(errors[:, -1].max())


def _list_cycles(errors: Floats) -> str:
    worst = ", ".join(f"{100.0 * errors[:, cycle].max():.1f}" for cycle in range(errors.shape[1]))
    return f"after each cycle {worst} %"
