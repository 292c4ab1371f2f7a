"""Where in a log the cell is full: the anchor of its reference state of charge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from twin.network.trace import count_charge

if TYPE_CHECKING:
    from drivers.logs.log import CellLog
    from twin.network.open_circuit import SlowDischarge

STARTS_SOC: Final = 0.8  # the voltage of a log that starts full is not below the open circuit's there
NEAR_ZERO: Final = 0.02  # of the capacity: a counter that starts so
NEAR_FULL_V: Final = 0.02  # below the full voltage
TAPERED_C: Final = 1.0 / 15.0  # at which a charge at the full voltage has ended


def find_full_charge(log: CellLog, slow: SlowDischarge) -> tuple[float, str]:
    """Return the charge that `count_charge` shows at SoC 1, and a sentence if that is not the log's start.

    A log that starts at a high voltage starts full; else the end of its first full charge (constant voltage, current
    tapered) is SoC 1.
    """
    counted_ah = count_charge(log)
    starts_v = float(np.interp(STARTS_SOC, np.linspace(0.0, 1.0, len(slow.ocv_v)), slow.ocv_v))
    if float(log.voltage_v[0]) >= starts_v and abs(float(counted_ah[0])) < NEAR_ZERO * slow.capacity_ah:
        return 0.0, ""
    tapered = (log.current_a <= 0.0) & (log.current_a > -TAPERED_C * slow.capacity_ah)
    ended = np.flatnonzero(tapered & (log.voltage_v >= slow.full_v - NEAR_FULL_V))
    if len(ended):
        row = int(ended[0])
        return float(counted_ah[row]), f"{log.path.name} is full at row {log.row[row]}, where its charge ends"
    return 0.0, f"{log.path.name} does not show a full cell: its start is taken as full"
