"""The voltage of the circuit along a log, and its derivative by every parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import scipy.sparse

from drivers.benchfile.network_section import PAIRS
from twin.network.layout import Layout
from twin.network.network import FIELDS, R0, SHIFT
from twin.network.nodes import NodeWeights
from twin.network.response import filter_currents, find_core_rise, find_hysteresis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drivers.snapshot import Floats
    from twin.network.network import Network
    from twin.network.trace import CellTrace

_SPARSE: Any = scipy.sparse  # carries no types
AFTER_CHARGE: Final = 1.0  # the hysteresis of a trace that starts full
_LARGER: Final = 1.03  # time constants and core whose difference gives their derivative


def find_core_kelvin(network: Network, trace: CellTrace) -> Floats:
    """Return the temperature of the core (K) along a trace, from the heat that the measured voltage shows."""
    heat_w = np.maximum(trace.mean_a * (network.find_ocv(trace.soc) - trace.voltage_v), 0.0)
    return trace.case_k + find_core_rise(trace.dt_s, heat_w, network.core_k_w, network.core_s)


@dataclass(frozen=True)
class Terms:
    """What the voltage of `n` samples is made of: `weights`, `currents_a[n, 4]`, `ohm[5, n]`, `thermal_v[n]`."""

    weights: NodeWeights
    soc: Floats
    current_a: Floats
    currents_a: Floats
    ohm: Floats
    shift_v: Floats
    thermal_v: Floats
    hysteresis_v: Floats

    @property
    def saturation(self) -> Floats:
        """The argument of the inverse hyperbolic sine."""
        return self.ohm[1] * self.currents_a[:, 0] / self.thermal_v

    def find_voltage(self, network: Network) -> Floats:
        """Return the voltage (V) of each sample."""
        slow = sum(self.ohm[pair] * self.currents_a[:, pair - 1] for pair in range(2, PAIRS + 1))
        fast = self.thermal_v * np.arcsinh(self.saturation)
        open_v = network.find_ocv(self.soc) + self.shift_v + self.hysteresis_v
        return open_v - self.ohm[0] * self.current_a - fast - slow


def find_terms(network: Network, trace: CellTrace, core_k: Floats, rows: NDArray[np.int64], *, averaged: bool) -> Terms:
    """Return the terms of the samples `rows` of a trace."""
    currents = filter_currents(trace.dt_s, trace.mean_a, core_k, network.kelvins, network.tau_s, averaged)[rows]
    weights = NodeWeights.find(network, trace.soc[rows], core_k[rows])
    flat = network.tables.reshape(FIELDS, -1)
    ohm = np.exp((np.log(flat[R0:])[:, weights.nodes] * weights.shares).sum(2))
    shift = (flat[SHIFT][weights.nodes] * weights.shares).sum(1)
    warm = weights.kelvin
    thermal = np.exp((np.log(network.thermal_v)[warm.nodes] * warm.shares).sum(1))
    hysteresis = find_hysteresis(trace.dt_s, trace.mean_a, 3600.0 * network.capacity_ah, AFTER_CHARGE)[rows]
    grid = np.linspace(0.0, 1.0, len(network.hysteresis_v))
    hysteresis *= np.interp(trace.soc[rows], grid, network.hysteresis_v)
    return Terms(weights, trace.soc[rows], trace.current_a[rows], currents, ohm, shift, thermal, hysteresis)


def predict_voltage(network: Network, trace: CellTrace, rows: NDArray[np.int64], *, averaged: bool) -> Floats:
    """Return the voltage (V) of the samples `rows`, at their reference state of charge."""
    return find_terms(network, trace, find_core_kelvin(network, trace), rows, averaged=averaged).find_voltage(network)


def linearise(network: Network, trace: CellTrace, rows: NDArray[np.int64], *, averaged: bool) -> tuple[Floats, Any]:
    """Return the voltage of the samples `rows`, and its derivative by the parameters of `Layout`: sparse `[rows, n]`.

    Derivatives are by dU, and by the logarithm of each other parameter.
    """
    core_k = find_core_kelvin(network, trace)
    terms = find_terms(network, trace, core_k, rows, averaged=averaged)
    voltage_v = terms.find_voltage(network)
    warmer_k = trace.case_k + _LARGER * (core_k - trace.case_k)
    warmer_v = find_terms(network, trace, warmer_k, rows, averaged=averaged).find_voltage(network)
    longer = filter_currents(trace.dt_s, trace.mean_a, core_k, network.kelvins, _LARGER * network.tau_s, averaged)[rows]
    by_log_tau = (longer - terms.currents_a) / np.log(_LARGER)
    eased = 1.0 / np.sqrt(1.0 + terms.saturation**2)  # of the first pair, by its saturation
    slope = np.ones((PAIRS, len(rows)))
    slope[0] = eased
    by_pair = [terms.ohm[pair + 1] * slope[pair] for pair in range(PAIRS)]
    by_table = [np.ones(len(rows)), -terms.ohm[0] * terms.current_a]
    by_table += [-by_pair[pair] * terms.currents_a[:, pair] for pair in range(PAIRS)]
    by_thermal = by_pair[0] * terms.currents_a[:, 0] - terms.thermal_v * np.arcsinh(terms.saturation)
    layout, weights = Layout.of(network), terms.weights
    warm = weights.kelvin
    values = [factor[:, None] * weights.shares for factor in by_table]
    columns = [layout.table(field) + weights.nodes for field in range(FIELDS)]
    values.append(by_thermal[:, None] * warm.shares)
    columns.append(layout.thermal + warm.nodes)
    for pair in range(PAIRS):
        values.append(-(by_pair[pair] * by_log_tau[:, pair])[:, None] * warm.shares)
        columns.append(layout.tau(pair) + warm.nodes * PAIRS)
    values.append(((warmer_v - voltage_v) / np.log(_LARGER))[:, None])
    columns.append(np.full((len(rows), 1), layout.core))
    entries, places = np.concatenate(values, 1), np.concatenate(columns, 1)
    samples = np.repeat(np.arange(len(rows)), places.shape[1])
    shape = (len(rows), layout.size)
    return voltage_v, _SPARSE.csr_matrix((entries.ravel(), (samples, places.ravel())), shape=shape)
