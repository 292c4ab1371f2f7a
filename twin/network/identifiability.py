"""Which parameters of a fit the logs did not settle: those whose deviation the logs hardly reduced."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.benchfile.network_section import PAIRS
from twin.network.layout import Layout
from twin.network.network import FIELDS, SHIFT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twin.network.fit import NetworkFit

SETTLED_SHARE: Final = 0.5  # of its deviation before: the smoothness alone says the rest
NAMES: Final = ("dU", "R0", *(f"R{pair}" for pair in range(1, PAIRS + 1)))
ZERO_C_K: Final = 273.15


@dataclass(frozen=True)
class Unsettled:
    """A parameter at one temperature; `soc`: the nodes from and to, None where it does not depend on it.

    `std`: its deviation after the fit, in V for dU, of the logarithm for all others.
    """

    parameter: str
    temperature_degc: float | None
    soc: tuple[float, float] | None
    std: float

    @property
    def sentence(self) -> str:
        where = "" if self.soc is None else f", SoC {100 * self.soc[0]:.0f} to {100 * self.soc[1]:.0f} %"
        spread = f"{1e3 * self.std:.1f} mV" if self.parameter == NAMES[SHIFT] else f"{100 * self.std:.0f} %"
        at = "" if self.temperature_degc is None else f" at {self.temperature_degc:g} degC"
        return f"{self.parameter}{at}{where}: known to {spread} by smoothness alone"


def find_unsettled(fit: NetworkFit) -> list[Unsettled]:
    """Return the parameters that the logs did not settle, neighbours over state of charge as one."""
    return [*_find_in_tables(fit), *_find_in_times(fit)]


def find_settled_share(fit: NetworkFit) -> float:
    """Return the share of all parameters that the logs settled."""
    return float(np.mean(fit.std < SETTLED_SHARE * fit.prior_std))


def _find_in_tables(fit: NetworkFit) -> Iterator[Unsettled]:
    network, layout = fit.network, Layout.of(fit.network)
    for field in range(FIELDS):
        for warm, kelvin in enumerate(network.kelvins):
            first = layout.table(field) + warm * layout.socs
            std = fit.std[first : first + layout.socs]
            loose = std >= SETTLED_SHARE * fit.prior_std[first : first + layout.socs]
            for is_loose, group in groupby(range(layout.socs), key=lambda place: bool(loose[place])):
                places = list(group)
                if is_loose:
                    span = (float(network.socs[places[0]]), float(network.socs[places[-1]]))
                    yield Unsettled(NAMES[field], _to_degc(kelvin), span, float(std[places].max()))


def _find_in_times(fit: NetworkFit) -> Iterator[Unsettled]:
    layout = Layout.of(fit.network)
    if fit.std[layout.core] >= SETTLED_SHARE * fit.prior_std[layout.core]:
        yield Unsettled("core_k_w", None, None, float(fit.std[layout.core]))
    places = [("Vt", layout.thermal, 1)]
    places += [(f"tau{pair + 1}", layout.tau(pair), PAIRS) for pair in range(PAIRS)]
    for name, first, stride in places:
        for warm, kelvin in enumerate(fit.network.kelvins):
            place = first + stride * warm
            if fit.std[place] >= SETTLED_SHARE * fit.prior_std[place]:
                yield Unsettled(name, _to_degc(kelvin), None, float(fit.std[place]))


def _to_degc(kelvin: float) -> float:
    return round(float(kelvin) - ZERO_C_K, 2)
