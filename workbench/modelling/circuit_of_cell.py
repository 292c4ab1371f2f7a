"""The circuit that filters and twins run along a log: the fitted one, or the file's two pairs as such a circuit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from twin.network.network import FIELDS, Network, make_network

if TYPE_CHECKING:
    from drivers.benchfile.cell_sections import CellFile, CircuitSection

KELVINS: Final = (253.15, 263.15, 273.15, 283.15, 298.15, 318.15)
REFERENCE_K: Final = 298.15
NO_OHM: Final = 1e-7  # of a pair that the file does not have
NO_SATURATION_V: Final = 10.0  # a charge transfer that stays linear
ERROR_V: Final = 0.010  # that two pairs leave, at room temperature
ERROR_COLDER: Final = 0.03  # of it, for each K below


def make_circuit_of(file: CellFile) -> Network:
    """Return the fitted circuit of a cell, or the two pairs of its `[estimator]` (else `[circuit]`) in its place."""
    if file.network is not None:
        return make_network(file.network)
    return widen_circuit(file.estimator or file.circuit)


def widen_circuit(circuit: CircuitSection) -> Network:
    """Return R0 and two pairs over state of charge as a circuit of four pairs over temperature too.

    R0 follows its law of Arrhenius; the time constants are the medians of the table's.
    """
    kelvins = np.array(KELVINS)
    socs = np.linspace(0.0, 1.0, len(circuit.ocv_v))
    tables = np.full((FIELDS, len(kelvins), len(socs)), NO_OHM)
    tables[0] = 0.0
    hot = np.exp(circuit.arrhenius_k * (1.0 / kelvins - 1.0 / REFERENCE_K))
    tables[1] = hot[:, None] * np.array(circuit.r0_ohm)
    tables[3], tables[4] = np.array(circuit.r1_ohm), np.array(circuit.r2_ohm)
    fast_s, slow_s = float(np.median(circuit.tau1_s)), float(np.median(circuit.tau2_s))
    tau_s = np.tile([1.0, fast_s, slow_s, 1000.0], (len(kelvins), 1))
    thermal_v = np.full(len(kelvins), NO_SATURATION_V)
    error_v = ERROR_V * (1.0 + ERROR_COLDER * np.maximum(REFERENCE_K - kelvins, 0.0))
    axes = (np.array(circuit.ocv_v), socs, kelvins, tables, tau_s, thermal_v, error_v)
    return Network(circuit.fitted_to, circuit.capacity_ah, *axes, 1e-6, 400.0, np.zeros(len(socs)))
