"""The bench's circuit of R0 and two pairs, from the fitted one: the pairs that a bench's twin can follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.benchfile.cell_sections import CircuitSection
from drivers.benchfile.cell_writer import round_all
from twin.network.network import R0, R1, R2, R3, SHIFT
from twin.network.nodes import AxisWeights, NodeWeights

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.network.network import Network

POINTS: Final = 41
REFERENCE_K: Final = 298.15
LEAST_RISE_V: Final = 1e-5  # of the open-circuit voltage from point to point: a filter needs to tell them apart


def reduce_network(network: Network) -> CircuitSection:
    """Return R0 and two pairs at 25 degC: the first pair joins R0, the fourth is left out."""
    soc = np.linspace(0.0, 1.0, POINTS)
    tables = find_tables(network, soc, REFERENCE_K)
    warm = AxisWeights.find(network.kelvins, np.array([REFERENCE_K]))
    tau_s = np.exp((np.log(network.tau_s)[warm.nodes[0]] * warm.shares[0][:, None]).sum(0))
    steps = LEAST_RISE_V * np.arange(POINTS)
    ocv_v = np.maximum.accumulate(network.find_ocv(soc) + tables[SHIFT] - steps) + steps
    rows = {
        "ocv_v": ocv_v,
        "r0_ohm": tables[R0] + tables[R1],
        "r1_ohm": tables[R2],
        "tau1_s": np.full(POINTS, tau_s[1]),
        "r2_ohm": tables[R3],
        "tau2_s": np.full(POINTS, tau_s[2]),
    }
    return CircuitSection(
        fitted_to=f"{network.fitted_to}; R0 and two pairs of its circuit at 25 degC",
        capacity_ah=round_all(network.capacity_ah),
        arrhenius_k=round_all(find_arrhenius(network)),
        **{name: round_all(row.tolist()) for name, row in rows.items()},
    )


def find_tables(network: Network, soc: Floats, kelvin: float) -> Floats:
    """Return dU and the resistances `[6, n]` at `soc[n]` and one temperature."""
    weights = NodeWeights.find(network, soc, np.full(len(soc), kelvin))
    flat = network.tables.reshape(len(network.tables), -1).copy()
    flat[R0:] = np.log(flat[R0:])
    found = (flat[:, weights.nodes] * weights.shares).sum(2)
    found[R0:] = np.exp(found[R0:])
    return found


def find_arrhenius(network: Network) -> float:
    """Return the exponent (K) that R0 and the first pair follow at half charge; 0 for tests at one temperature."""
    if len(network.kelvins) == 1:
        return 0.0
    ohm = [find_tables(network, np.array([0.5]), float(kelvin))[[R0, R1], 0].sum() for kelvin in network.kelvins]
    slope, _ = np.polyfit(1.0 / network.kelvins - 1.0 / REFERENCE_K, np.log(ohm), 1)
    return float(slope)
