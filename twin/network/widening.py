"""R0 and two pairs over state of charge as a circuit of four pairs over temperature too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from twin.cell_table import OCV, R0, R1, R2, REFERENCE_K, TAU1, TAU2
from twin.network.network import FIELDS, Network
from twin.network.network import R0 as NETWORK_R0

if TYPE_CHECKING:
    from twin.cell_table import CellTable

KELVINS: Final = (253.15, 263.15, 273.15, 283.15, 298.15, 318.15)
NO_OHM: Final = 1e-7  # of a pair that the table does not have
NO_SATURATION_V: Final = 10.0  # a charge transfer that stays linear
UNUSED_S: Final = (1.0, 1000.0)  # time constants of the pairs that the table does not have
NO_CORE_K_W, CORE_S = 1e-6, 400.0
ERROR_V: Final = 0.010  # that two pairs leave, at 25 degC
ERROR_COLDER: Final = 0.03  # of it more, for each K below


def widen_table(table: CellTable) -> Network:
    """Return the circuit of a table; R0 follows its law of Arrhenius, the time constants are the table's medians."""
    kelvins, rows = np.array(KELVINS), table.rows
    socs = np.linspace(0.0, 1.0, rows.shape[1])
    tables = np.full((FIELDS, len(kelvins), len(socs)), NO_OHM)
    tables[0] = 0.0
    tables[NETWORK_R0] = np.exp(table.arrhenius_k * (1.0 / kelvins - 1.0 / REFERENCE_K))[:, None] * rows[R0]
    tables[NETWORK_R0 + 2], tables[NETWORK_R0 + 3] = rows[R1], rows[R2]
    fast_s, slow_s = UNUSED_S
    tau_s = np.tile([fast_s, float(np.median(rows[TAU1])), float(np.median(rows[TAU2])), slow_s], (len(kelvins), 1))
    thermal_v = np.full(len(kelvins), NO_SATURATION_V)
    error_v = ERROR_V * (1.0 + ERROR_COLDER * np.maximum(REFERENCE_K - kelvins, 0.0))
    axes = (rows[OCV], socs, kelvins, tables, tau_s, thermal_v, error_v)
    return Network(table.fitted_to, table.capacity_ah, *axes, NO_CORE_K_W, CORE_S, np.zeros(len(socs)))
