"""The fitted circuit of a cell: R0 and four pairs over state of charge and temperature, the first one saturating.

    V = U(s) + h M(s) + dU(s, T) - R0 I - Vt asinh(R1 i1 / Vt) - R2 i2 - R3 i3 - R4 i4

`i_j` is the current through a low-pass of `tau_j(T)`. The inverse hyperbolic sine is the charge transfer of Butler and
Volmer with equal coefficients (Newman and Thomas-Alyea 2004, chapter 8): at low temperature its resistance falls as the
current rises. `T` is the temperature of the core: the case and a rise that follows the heat `I (U - V)`. `h` is the
hysteresis, from -1 after a discharge to 1 after a charge; it follows the charge that has moved (Plett 2004, part 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.benchfile.cell_writer import round_all
from drivers.benchfile.network_section import PAIRS, RESISTANCES, NetworkSection

if TYPE_CHECKING:
    from drivers.snapshot import Floats

FIELDS: Final = 2 + PAIRS  # of `tables`: dU in V, then R0 and the resistances of the pairs in ohm
SHIFT, R0, R1, R2, R3, R4 = range(FIELDS)


@dataclass(frozen=True)
class Network:
    """One cell: the tables of its circuit.

    `capacity_ah`: charge from SoC 1 to 0. `ocv_v[points]`: U at evenly spaced SoC from 0 to 1. `tables[6, T, S]`: dU
    and the resistances at `kelvins[T]` and `socs[S]`; `tau_s[T, 4]`, `thermal_v[T]` (Vt). `error_v[T]`: the RMS error
    of the fit. The core is warmer than the case by `core_k_w` for each W, after `core_s`. `hysteresis_v[points]`: M,
    zero where both branches are one.
    """

    fitted_to: str
    capacity_ah: float
    ocv_v: Floats
    socs: Floats
    kelvins: Floats
    tables: Floats
    tau_s: Floats
    thermal_v: Floats
    error_v: Floats
    core_k_w: float
    core_s: float
    hysteresis_v: Floats

    def find_ocv(self, soc: Floats) -> Floats:
        """Return U (V) at `soc[...]`; outside 0 to 1 it goes on with its last slope."""
        last = len(self.ocv_v) - 1
        place = np.asarray(soc) * last
        left = np.clip(np.floor(place).astype(np.int64), 0, last - 1)
        return self.ocv_v[left] + (place - left) * (self.ocv_v[left + 1] - self.ocv_v[left])


def make_network(section: NetworkSection) -> Network:
    """Return the circuit that a cell file declares."""
    tables = [section.shift_v, *(getattr(section, name) for name in RESISTANCES)]
    return Network(
        section.fitted_to,
        section.capacity_ah,
        np.array(section.ocv_v, np.float64),
        np.array(section.socs, np.float64),
        np.array(section.kelvins, np.float64),
        np.array(tables, np.float64),
        np.array(section.tau_s, np.float64),
        np.array(section.thermal_v, np.float64),
        np.array(section.error_v, np.float64),
        section.core_k_w,
        section.core_s,
        np.array(section.hysteresis_v or np.zeros(len(section.ocv_v)), np.float64),
    )


def make_section(network: Network) -> NetworkSection:
    """Return the table of a cell file for this circuit, rounded as the file is."""
    names = ("ocv_v", "socs", "kelvins", "tau_s", "thermal_v", "error_v")
    rows = {name: round_all(getattr(network, name).tolist()) for name in names}
    tables = dict(zip(("shift_v", *RESISTANCES), round_all(network.tables.tolist()), strict=True))
    scalars = {name: round_all(getattr(network, name)) for name in ("capacity_ah", "core_k_w", "core_s")}
    hysteresis_v = round_all(network.hysteresis_v.tolist()) if network.hysteresis_v.any() else ()
    return NetworkSection(fitted_to=network.fitted_to, **scalars, **rows, **tables, hysteresis_v=hysteresis_v)
