"""What a filter assumes beside the circuit: noise, and how uncertain the start is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from drivers.benchfile.network_section import PAIRS
from twin.network import soc_filter

if TYPE_CHECKING:
    from typing import TypeAlias

    from drivers.snapshot import Floats
    from twin.network.network import Network

    CircuitArrays: TypeAlias = tuple[Floats, Floats, Floats, Floats, Floats, Floats, Floats]

ERROR_FACTOR: Final = 1.5  # of the fit's own error, for conditions that it has not seen
LEAST_ERROR_V: Final = 0.008
ERROR_S: Final = 600.0  # for which an error of the model lasts
ERROR_SHARE: Final = 0.05  # of the overvoltage, that the model may be wrong by
NOISE_V: Final = 0.05  # white, of a voltage, at one sample a second
NOISE_SHARE: Final = 3.0  # of the overvoltage, likewise
DRIFT_PER_S: Final = 1e-10  # variance of SoC that no source above explains
OFFSET_C: Final = 0.03  # deviation of the current sensor's offset, in C
OFFSET_PER_S_C: Final = 1e-5  # of its walk, C in the root of a second
GAIN_STD: Final = 0.01  # of the sensor's gain and of the capacity together
REST_V: Final = 0.004  # error of the model at rest
LOADED_C: Final = 0.3  # of a pair's current where the start is under load, and its deviation
LOADED_STD_C: Final = 0.4
RESTED_C: Final = 0.01
UNKNOWN_TURN: Final = 0.6  # deviation of a hysteresis that lies anywhere from -1 to 1
TURN_STD: Final = 0.2  # of the hysteresis, that its model is wrong by


class FilterStart(NamedTuple):
    """The start of a cell: SoC and its deviation; `rested`: no current has flowed for long, the pairs are empty."""

    soc: float
    soc_std: float
    rested: bool
    hysteresis: float = 0.0
    hysteresis_std: float = UNKNOWN_TURN


def make_circuit(network: Network) -> CircuitArrays:
    """Return the arrays that the kernels take: `ocv_v, socs, kelvins, logs, log_tau, error_v, hysteresis_v`."""
    logs = np.concatenate([network.tables, np.repeat(network.thermal_v[:, None], len(network.socs), 1)[None]])
    logs[1:] = np.log(logs[1:])
    error_v = np.maximum(ERROR_FACTOR * network.error_v, LEAST_ERROR_V)
    return network.ocv_v, network.socs, network.kelvins, logs, np.log(network.tau_s), error_v, network.hysteresis_v


def make_settings(network: Network, *, averaged: bool = False, cubature: bool = False, dual: bool = False) -> Floats:
    """Return the settings of the kernels."""
    settings = np.zeros(soc_filter.SETTINGS)
    settings[soc_filter.CAPACITY_AS] = 3600.0 * network.capacity_ah
    settings[soc_filter.CORE_K_W], settings[soc_filter.CORE_S] = network.core_k_w, network.core_s
    settings[soc_filter.AVERAGED] = float(averaged)
    settings[soc_filter.CUBATURE], settings[soc_filter.DUAL] = float(cubature), float(dual)
    settings[soc_filter.ERROR_S], settings[soc_filter.ERROR_SHARE] = ERROR_S, ERROR_SHARE
    settings[soc_filter.NOISE_V2_S], settings[soc_filter.DRIFT_PER_S] = NOISE_V**2, DRIFT_PER_S
    settings[soc_filter.OFFSET_PER_S] = (OFFSET_PER_S_C * network.capacity_ah) ** 2
    settings[soc_filter.NOISE_SHARE2_S] = NOISE_SHARE**2
    settings[soc_filter.TURN_STD] = TURN_STD
    return settings


def make_start(network: Network, start: FilterStart) -> tuple[Floats, Floats, Floats]:
    """Return `x[9]`, `covariance[9, 9]` and `memory[9]` of a cell."""
    x, memory = np.zeros(soc_filter.STATES), np.zeros(soc_filter.MEMORY)
    x[soc_filter.SOC] = start.soc
    memory[soc_filter.RESISTANCE] = memory[soc_filter.CAPACITY] = 1.0
    memory[soc_filter.HYSTERESIS] = start.hysteresis
    std = np.zeros(soc_filter.STATES)
    pairs = slice(soc_filter.FIRST, soc_filter.FIRST + PAIRS)
    if start.rested:
        std[pairs] = RESTED_C * network.capacity_ah
    else:
        x[pairs] = LOADED_C * network.capacity_ah
        std[pairs] = LOADED_STD_C * network.capacity_ah
    std[soc_filter.SOC], std[soc_filter.OFFSET] = start.soc_std, OFFSET_C * network.capacity_ah
    std[soc_filter.GAIN] = GAIN_STD
    std[soc_filter.TURN] = start.hysteresis_std
    std[soc_filter.ERROR] = REST_V if start.rested else float(np.max(ERROR_FACTOR * network.error_v))
    return x, np.diag(std**2), memory
