"""Coulomb counting along a log: the lane that every filter has to beat."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.network.filter_settings import GAIN_STD, OFFSET_C
from twin.network.voltage import predict_voltage

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.network.network import Network
    from twin.network.trace import CellTrace


def count_log(network: Network, trace: CellTrace, soc0: float, soc0_std: float, *, averaged: bool) -> dict[str, Any]:
    """Return `soc`, `soc_std` and `voltage_model_v` of each row: the current counted from a start.

    The deviation is that of the start, of an offset of the current sensor and of its gain.
    """
    soc = soc0 - trace.integrated_ah / network.capacity_ah
    hours = (trace.time_s - trace.time_s[0]) / 3600.0
    moved: Floats = np.cumsum(np.abs(trace.mean_a) * trace.dt_s) / 3600.0 / network.capacity_ah
    std = np.sqrt(soc0_std**2 + (OFFSET_C * hours) ** 2 + (GAIN_STD * moved) ** 2)
    voltage_v = predict_voltage(network, replace(trace, soc=soc), np.arange(len(trace)), averaged=averaged)
    return {"soc": soc, "soc_std": std, "voltage_model_v": voltage_v}
