"""The declared limits of a bench as a client shows them, one pair for each bounded channel."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from drivers.benchfile.limits import lay_over_channels
from workbench.session.bench_info import LimitPair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.benchfile.model import Bench
    from drivers.snapshot import ChannelTable


def list_limit_pairs(bench: Bench, table: ChannelTable, *, whole: bool = True) -> Iterator[LimitPair]:
    """Return the bench limits over `table` with the device's beside them; raise what `lay_over_channels` raises."""
    limits = lay_over_channels(bench, table, whole=whole)
    for n, channel in enumerate(table):
        if math.isfinite(limits.low[n]):
            device = (float(limits.device_low[n]), float(limits.device_high[n]))
            of_bench = (float(limits.low[n]), float(limits.high[n]))
            yield LimitPair(channel.name, channel.unit, of_bench, device if math.isfinite(device[0]) else None)
