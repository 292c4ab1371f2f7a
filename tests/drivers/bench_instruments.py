"""The drivers of a bench's instruments as the tests make them: models, limits and periods of the emulated bench."""

from __future__ import annotations

from typing import Final

from drivers.scpi.cell_simulator import CellSimulator
from drivers.scpi.io_box import IoBox
from drivers.scpi.supply import Supply

CELLS: Final = 24
THERMISTORS: Final = 8
SELDOM_S: Final = 60.0  # a period longer than a test: each exchange is one that the test calls


def make_supply(address: str, period_s: float = 0.04, **timeouts_s: float) -> Supply:
    return Supply(
        address,
        "EA Elektro-Automatik, PSB 10",
        period_s,
        protect_voltage_v=20.0,
        protect_current_a=100.0,
        charge_v=16.0,
        discharge_v=0.0,
        timeouts_s=timeouts_s,
    )


def make_cell_simulator(
    address: str, period_s: float = 0.01, *, cells: int = CELLS, discharge_reads: float = 1.0, **timeouts_s: float
) -> CellSimulator:
    return CellSimulator(
        address,
        "NGI,N83624",
        period_s,
        cells=cells,
        protect_voltage_v=5.2,
        protect_current_a=5.0,
        discharge_reads=discharge_reads,
        timeouts_s=timeouts_s,
    )


def make_io_box(address: str, period_s: float = 0.02, *, thermistors: int = THERMISTORS) -> IoBox:
    return IoBox(address, "PulseBMS,IO-8", period_s, thermistors=thermistors)
