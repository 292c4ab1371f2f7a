"""The cell file of a fit: the circuit, and what the tests show of limits and heat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.benchfile.cell_sections import SCHEMA, CellFile
from drivers.benchfile.cell_writer import round_all
from twin.network.network import make_section
from twin.network.reduction import reduce_network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.logs.test_list import ListedCell
    from twin.network.fit import FitTest
    from twin.network.network import Network
    from twin.network.open_circuit import SlowDischarge
    from twin.network.thermal_fit import ThermalFit

BMS_HIGHER_V: Final = 0.05
BMS_EMPTY_SHARE: Final = 0.1  # of the range of voltage, that a BMS leaves above the empty cell
BALANCE_SHARE: Final = 0.5
AROUND_K: Final = 10.0  # the tests' temperatures
ZERO_C_K: Final = 273.15
LEAST_C: Final = 0.2  # of a rate that the tests hardly show


@dataclass(frozen=True)
class TestedRange:
    """What the tests went through: temperatures in degC, rates in C (magnitudes)."""

    __test__ = False  # no test of pytest's

    temperature_degc: tuple[float, float]
    charge_c: float
    discharge_c: float

    @classmethod
    def of(cls, tests: Sequence[FitTest], capacity_ah: float) -> TestedRange:
        """Return the range of the tests of a cell."""
        kelvins = [test.kelvin for test in tests]
        rates = [(max(-test.trace.current_a.min(), 0.0), max(test.trace.current_a.max(), 0.0)) for test in tests]
        charge, discharge = (max(float(np.max(side)) / capacity_ah, LEAST_C) for side in zip(*rates, strict=True))
        low, high = (float(round(kelvin - ZERO_C_K, 1)) for kelvin in (min(kelvins), max(kelvins)))
        return cls((low - AROUND_K, high + AROUND_K), charge, discharge)


def make_cell_file(
    listed: ListedCell, slow: SlowDischarge, network: Network, thermal: ThermalFit, tested: TestedRange
) -> CellFile:
    """Return the file of a fitted cell; what `listed` states of limits wins over what the tests show."""
    low_v, high_v = listed.voltage_v or (slow.empty_v, slow.full_v)
    limits: dict[str, Any] = {
        "voltage_v": (round(low_v, 3), round(high_v, 3)),
        "temperature_degc": listed.temperature_degc or tested.temperature_degc,
        "charge_c": round_all(listed.charge_c or tested.charge_c),
        "discharge_c": round_all(listed.discharge_c or tested.discharge_c),
    }
    span_v = high_v - low_v
    bms = limits | {
        "voltage_v": (round(low_v + BMS_EMPTY_SHARE * span_v, 3), round(high_v + BMS_HIGHER_V, 3)),
        "balance_above_v": round(low_v + BALANCE_SHARE * span_v, 3),
    }
    stated = [name for name in limits if getattr(listed, name) is not None]
    return CellFile.model_validate(
        {
            "schema": SCHEMA,
            "name": listed.name,
            "chemistry": listed.chemistry,
            "capacity_ah": round_all(network.capacity_ah),
            "source": _describe_sources(network, thermal, stated),
            "limits": limits,
            "bms": bms,
            "thermal": {
                "heat_capacity_j_k": round_all(thermal.heat_capacity_j_k),
                "cooling_w_k": round_all(thermal.cooling_w_k),
            },
            "circuit": reduce_network(network),
            "network": make_section(network),
        }
    )


def _describe_sources(network: Network, thermal: ThermalFit, stated: list[str]) -> dict[str, str]:
    shown = "range of the fitted tests, 10 K around their temperatures"
    heat = "usual values of cylindrical cells, scaled by capacity: no test warmed the cell"
    return {
        "limits": f"{', '.join(stated)}: as listed with the tests; others: {shown}" if stated else shown,
        "bms": "computed from limits: 50 mV beyond the full cell, a tenth of the range above the empty one",
        "thermal": heat if thermal.rms_k is None else f"fitted to the same tests, {thermal.rms_k:.2f} K RMS",
        "circuit": "two pairs of the network at 25 degC",
        "network": network.fitted_to,
    }
