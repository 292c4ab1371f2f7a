"""Heat capacity and cooling of a cell, from how its case warms in tests: one temperature, as `twin.thermal`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from twin.network.response import find_core_rise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twin.network.network import Network
    from twin.network.trace import CellTrace

TIMES_S: Final = np.geomspace(60.0, 6000.0, 41)  # of heat capacity over cooling
LEAST_RISE_K: Final = 0.5  # a case that warms less shows nothing
MOST_RISE_K: Final = 15.0  # a case that warms more was moved to another temperature
USUAL_J_K_AH: Final = 15.0  # of cylindrical cells: 45 g, 1000 J/kg/K, 3 Ah
USUAL_W_K_AH: Final = 0.025


class ThermalFit(NamedTuple):
    """`rms_k`: the error of the fit; None where usual values stand for it."""

    heat_capacity_j_k: float
    cooling_w_k: float
    rms_k: float | None


def fit_thermal(network: Network, traces: Sequence[CellTrace]) -> ThermalFit:
    """Fit to the traces whose case warms, each in surroundings of a temperature of its own that stays."""
    best = (np.inf, 0.0, 0.0)
    warming = [trace for trace in traces if LEAST_RISE_K < float(np.ptp(trace.case_k)) < MOST_RISE_K]
    for time_s in TIMES_S if warming else ():
        products = squares = total = count = 0.0
        for trace in warming:
            heat_w = trace.mean_a * (network.find_ocv(trace.soc) - trace.voltage_v)
            shape = find_core_rise(trace.dt_s, heat_w, 1.0, float(time_s))
            shape = shape - np.average(shape, weights=trace.dt_s)
            rise_k = trace.case_k - np.average(trace.case_k, weights=trace.dt_s)
            products += float((shape * rise_k * trace.dt_s).sum())
            squares += float((shape**2 * trace.dt_s).sum())
            total += float((rise_k**2 * trace.dt_s).sum())
            count += float(trace.dt_s.sum())
        k_w = products / max(squares, 1e-12)
        error = (total - k_w * products) / max(count, 1e-12)
        if k_w > 0.0 and error < best[0]:
            best = (error, k_w, float(time_s))
    error, k_w, time_s = best
    if not np.isfinite(error):
        return ThermalFit(USUAL_J_K_AH * network.capacity_ah, USUAL_W_K_AH * network.capacity_ah, None)
    return ThermalFit(time_s / k_w, 1.0 / k_w, float(np.sqrt(max(error, 0.0))))
