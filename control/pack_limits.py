"""What the limits of a bench file leave to its pack: the narrower of a device limit and a bench limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from drivers.benchfile.units import to_si
from drivers.channel_names import SUPPLY_CURRENT, cell_voltage, sensed_temperature
from twin.ports import PackLimits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drivers.benchfile.model import Bench


def find_pack_limits(bench: Bench) -> PackLimits:
    """Return the limits of the pack; the strictest cell and sensor bound all of them."""
    low_v, high_v = _find_range(bench, map(cell_voltage, range(1, bench.pack.cells + 1)))
    low_k, high_k = _find_range(bench, map(sensed_temperature, range(1, bench.io_box.thermistors + 1)))
    low_a, high_a = _find_range(bench, [SUPPLY_CURRENT])
    return PackLimits(low_v, high_v, low_k, high_k, max(-low_a, 0.0), max(high_a, 0.0))


def _find_range(bench: Bench, channels: Iterable[str]) -> tuple[float, float]:
    """Return the range (SI) that every limit of any of the channels leaves; infinite without one."""
    low, high, named = -np.inf, np.inf, tuple(channels)
    for row in bench.limit:
        if any(map(row.has_channel, named)):
            for bounds in (row.device, row.bench):
                if bounds is not None:
                    low, high = max(low, to_si(bounds[0], row.unit)), min(high, to_si(bounds[1], row.unit))
    return low, high
