"""Interpolation weights of many samples between the nodes of a circuit's tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drivers.snapshot import Floats
    from twin.network.network import Network


@dataclass(frozen=True)
class AxisWeights:
    """Two nodes a sample: `nodes[n, 2]`, `shares[n, 2]`; the outer nodes hold outside."""

    nodes: NDArray[np.int64]
    shares: Floats

    @classmethod
    def find(cls, axis: Floats, values: Floats) -> Self:
        """Return the weights of `values[n]` on a rising axis of one node or more."""
        if len(axis) == 1:
            return cls(np.zeros((len(values), 2), np.int64), np.tile([1.0, 0.0], (len(values), 1)))
        left = np.clip(np.searchsorted(axis, values) - 1, 0, len(axis) - 2)
        share = np.clip((values - axis[left]) / (axis[left + 1] - axis[left]), 0.0, 1.0)
        return cls(np.stack([left, left + 1], 1), np.stack([1.0 - share, share], 1))


@dataclass(frozen=True)
class NodeWeights:
    """Weights over temperature alone, and over the flat table `[T * S]`: `nodes[n, 4]`, `shares[n, 4]`."""

    kelvin: AxisWeights
    nodes: NDArray[np.int64]
    shares: Floats

    @classmethod
    def find(cls, network: Network, soc: Floats, kelvin: Floats) -> Self:
        """Return the weights of samples at `soc[n]` and `kelvin[n]` in the tables of `network`."""
        warm, full = AxisWeights.find(network.kelvins, kelvin), AxisWeights.find(network.socs, soc)
        width = len(network.socs)
        nodes = warm.nodes[:, :, None] * width + full.nodes[:, None, :]
        shares = warm.shares[:, :, None] * full.shares[:, None, :]
        return cls(warm, nodes.reshape(-1, 4), shares.reshape(-1, 4))
