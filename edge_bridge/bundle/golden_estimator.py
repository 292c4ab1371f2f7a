"""Golden inputs and outputs of an estimator: one row a tick, the inputs and then the estimate.

The inputs leave out the currents that a device allows: the power of golden outputs is within the limits of the cell and
of the bench file.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.snapshot import PackReading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.snapshot import Estimate, Floats
    from twin.ports import Estimator

HEALTH: Final = "soh"  # a field of an estimate


def inputs_width(cells: int) -> int:
    """Return the number of columns of `make_inputs`."""
    return 3 + 3 * cells


def make_inputs(readings: Sequence[PackReading], dt_s: Floats) -> Floats:
    """Make `[ticks, 3 + 3 cells]`: time, step, pack current, then balancing currents, voltages, temperatures."""
    rows = [
        np.concatenate(((seen.t_s, dt, seen.current_a), seen.balancing_a, seen.voltage_v, seen.temperature_k))
        for seen, dt in zip(readings, dt_s, strict=True)
    ]
    return np.array(rows)


def run_estimator(estimator: Estimator, seen: Floats) -> Floats:
    """Return `[ticks, n]`: the estimate after each row of `make_inputs`, without the health, which takes hours."""
    return np.array([_to_row(estimator.update(_to_reading(row), float(row[1]))) for row in seen])


def _to_reading(row: Floats) -> PackReading:
    balancing_a, voltage_v, temperature_k = np.split(row[3:], 3)
    return PackReading(float(row[0]), float(row[2]), balancing_a, voltage_v, temperature_k)


def _to_row(estimate: Estimate) -> Floats:
    """Concatenate the fields in the order of their declaration, but for `HEALTH`."""
    values: list[Any] = [getattr(estimate, field.name) for field in fields(estimate) if field.name != HEALTH]
    return np.concatenate([np.ravel(np.asarray(value, dtype=np.float64)) for value in values])
