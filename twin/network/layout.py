"""The parameters of a circuit as one vector: dU, and the logarithm of every other one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from drivers.benchfile.network_section import PAIRS
from twin.network.network import FIELDS, R0, SHIFT

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.network.network import Network


@dataclass(frozen=True)
class Layout:
    """Where each parameter is, for `kelvins` and `socs` nodes."""

    kelvins: int
    socs: int

    @classmethod
    def of(cls, network: Network) -> Self:
        return cls(len(network.kelvins), len(network.socs))

    def table(self, field: int) -> int:
        """Return the first place of a table, row by row over temperature."""
        return field * self.kelvins * self.socs

    @property
    def thermal(self) -> int:
        """The first place of `thermal_v`."""
        return self.table(FIELDS)

    def tau(self, pair: int) -> int:
        """Return the place of a pair's first time constant; the next temperature is `PAIRS` farther."""
        return self.thermal + self.kelvins + pair

    @property
    def core(self) -> int:
        """The place of `core_k_w`."""
        return self.thermal + self.kelvins * (1 + PAIRS)

    @property
    def size(self) -> int:
        return self.core + 1


def pack(network: Network) -> Floats:
    """Return the vector of a circuit."""
    logs = [
        np.log(part).ravel()
        for part in (network.tables[R0:], network.thermal_v, network.tau_s, np.array([network.core_k_w]))
    ]
    return np.concatenate([network.tables[SHIFT].ravel(), *logs])


def unpack(network: Network, vector: Floats) -> Network:
    """Return `network` with the parameters of `vector`."""
    layout = Layout.of(network)
    tables = vector[: layout.thermal].reshape(FIELDS, layout.kelvins, layout.socs).copy()
    tables[R0:] = np.exp(tables[R0:])
    thermal_v = np.exp(vector[layout.thermal : layout.thermal + layout.kelvins])
    tau_s = np.exp(vector[layout.thermal + layout.kelvins : layout.core].reshape(layout.kelvins, PAIRS))
    core_k_w = float(np.exp(vector[layout.core]))
    return replace(network, tables=tables, thermal_v=thermal_v, tau_s=tau_s, core_k_w=core_k_w)
