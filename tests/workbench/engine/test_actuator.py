from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from drivers.snapshot import Command
from workbench.engine.actuator import BenchActuator

if TYPE_CHECKING:
    from drivers.scpi.cell_simulator import CellSimulator
    from drivers.scpi.io_box import IoBox
    from drivers.scpi.supply import Supply
    from drivers.snapshot import Floats


def ignored(_wanted: object) -> None:
    """What these instruments do."""


@pytest.mark.parametrize(("cells", "thermistors"), [(24, 8), (24, 1), (23, 4), (5, 5)])
def test_each_thermistor_feels_the_mean_of_its_share_and_only_of_that(cells: int, thermistors: int) -> None:
    felt: list[Floats] = []
    actuator = BenchActuator(
        cast("CellSimulator", SimpleNamespace(set_voltages=ignored)),
        cast("Supply", SimpleNamespace(set_current=ignored)),
        cast("IoBox", SimpleNamespace(set_temperatures=felt.append)),
        thermistors,
    )
    kelvin = 290.0 + np.random.default_rng(1).random(cells)
    kelvin[-1] = np.nan
    for _ in range(2):
        actuator.apply(Command(0.0, np.zeros(cells), kelvin))
    shares = [float(share.mean()) for share in np.array_split(kelvin, thermistors)]
    assert felt[0] == pytest.approx(shares, rel=1e-14, nan_ok=True)
    assert felt[1] == pytest.approx(shares, rel=1e-14, nan_ok=True)
