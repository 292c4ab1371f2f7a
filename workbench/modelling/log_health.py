"""State of health along a log: the slow lane of a run, fed with the rows of the log (`twin/network/slow_health.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.channel_names import GROWTH, GROWTH_STD, SOH, SOH_STD
from drivers.snapshot import PackReading
from twin.network.rest_kernels import LEAST_SOC, QUIET_C, RESTED_S
from twin.network.slow_health import SlowHealth
from twin.network.slow_kernels import KNOWN_STD, LEAST_COUNT
from twin.network.trace import GAP_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.logs.log import CellLog
    from drivers.snapshot import Floats
    from twin.network.network import Network
    from twin.network.trace import CellTrace

NAMES: Final = (SOH, SOH_STD, GROWTH, GROWTH_STD)
_NO_REST: Final = (
    f"the log has no rest of {RESTED_S / 60:.0f} minutes below {QUIET_C:g} C at a charge where the voltage tells it"
)
_ONE_REST: Final = f"the log has no two such rests that differ by {100 * LEAST_SOC:.0f} % of charge"
_UNSURE: Final = (
    f"the rests leave a deviation above {100 * KNOWN_STD[0]:.0f} %: the longer between two, the less is sure"
)
_NO_STEPS: Final = (
    f"the log has no {LEAST_COUNT:.0f} steps of current from one second to the next "
    f"that tell it within {100 * KNOWN_STD[1]:.0f} %"
)
CHUNK: Final = 20_000  # rows between two reports of progress
NO_LANE: Final = "counting charge tells no health"


@dataclass(frozen=True)
class LogHealth:
    """Columns of `NAMES`, masked where a value is not known; why one is not known at the end, empty where it is."""

    columns: dict[str, Any]
    capacity_reason: str = ""
    growth_reason: str = ""


def track_log_health(
    network: Network, trace: CellTrace, log: CellLog, soc: Floats, report: Callable[[float], object]
) -> LogHealth:
    """Return the health along a log; `soc` is the filter's, `report` is told the done share.

    The capacity is over that of `network`. Across a gap without a counter nobody knows the charge: that time is lost.
    """
    slow, nothing = SlowHealth(network, 1, network.capacity_ah), np.zeros(1)
    counted_s = trace.dt_s if log.ah is not None else np.where(trace.dt_s > GAP_S, 0.0, trace.dt_s)
    told = np.empty((len(trace), len(NAMES)))
    for k in range(len(trace)):
        if k % CHUNK == 0:
            report(k / len(trace))
        cell = slice(k, k + 1)
        current_a, volts, kelvin = float(trace.mean_a[k]), trace.voltage_v[cell], trace.case_k[cell]
        reading = PackReading(float(trace.time_s[k]), current_a, nothing, volts, kelvin)
        soh = slow.update(reading, soc[cell], float(counted_s[k]))
        told[k] = soh.capacity[0], soh.capacity_std[0], soh.resistance[0], soh.resistance_std[0]
    known = np.isfinite(told)
    columns = {name: np.ma.MaskedArray(told[:, n], mask=~known[:, n]) for n, name in enumerate(NAMES)}
    return LogHealth(columns, "" if known[-1, 0] else _explain_capacity(slow), "" if known[-1, 2] else _NO_STEPS)


def _explain_capacity(slow: SlowHealth) -> str:
    """Return why the capacity of the first cell is not known."""
    if slow.has_pair[0]:
        return _UNSURE
    return _ONE_REST if slow.has_rested[0] else _NO_REST
