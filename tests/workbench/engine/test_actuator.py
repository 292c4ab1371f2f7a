from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from control.snapshot_builder import Wiring
from drivers.channel_names import sensed_temperature
from drivers.snapshot import Command
from workbench.engine.actuator import BenchActuator

if TYPE_CHECKING:
    from drivers.scpi.cell_simulator import CellSimulator
    from drivers.scpi.io_box import IoBox
    from drivers.scpi.supply import Supply
    from drivers.snapshot import Floats


def ignored(_wanted: object) -> None:
    """What these instruments do."""


def make_actuator(thermistors: int, felt: list[Floats]) -> BenchActuator:
    return BenchActuator(
        cast("CellSimulator", SimpleNamespace(set_voltages=ignored)),
        cast("Supply", SimpleNamespace(set_current=ignored)),
        cast("IoBox", SimpleNamespace(set_temperatures=felt.append)),
        thermistors,
    )


@pytest.mark.parametrize(("cells", "thermistors"), [(24, 8), (24, 1), (23, 4), (12, 8), (10, 4), (5, 5)])
def test_each_thermistor_feels_the_mean_of_its_share_and_only_of_that(cells: int, thermistors: int) -> None:
    felt: list[Floats] = []
    actuator = make_actuator(thermistors, felt)
    kelvin = 290.0 + np.random.default_rng(1).random(cells)
    kelvin[-1] = np.nan
    for _ in range(2):
        actuator.apply(Command(0.0, np.zeros(cells), kelvin))
    owners = Wiring.hil(cells, thermistors).cell_temperature
    shares = [
        float(kelvin[[owner == sensed_temperature(number) for owner in owners]].mean())
        for number in range(1, thermistors + 1)
    ]
    assert felt[0] == pytest.approx(shares, rel=1e-14, nan_ok=True)
    assert felt[1] == pytest.approx(shares, rel=1e-14, nan_ok=True)


@pytest.mark.parametrize(("cells", "thermistors"), [(7, 8), (5, 8), (1, 8), (1, 1)])
def test_of_more_thermistors_than_cells_each_feels_one_cell_and_each_cell_is_felt(cells: int, thermistors: int) -> None:
    felt: list[Floats] = []
    kelvin = np.arange(290.0, 290.0 + cells)
    make_actuator(thermistors, felt).apply(Command(0.0, np.zeros(cells), kelvin))
    assert len(felt[0]) == thermistors
    assert set(felt[0].tolist()) == set(kelvin.tolist())
    owners = Wiring.hil(cells, thermistors).cell_temperature
    numbers = [sensed_temperature(number) for number in range(1, thermistors + 1)]
    assert [felt[0][numbers.index(owner)] for owner in owners] == kelvin.tolist()


@pytest.mark.parametrize(("cells", "number", "sharing"), [(7, 8, [7]), (7, 1, []), (1, 3, [1, 2, 4, 5, 6, 7, 8])])
def test_a_thermistor_that_shares_its_cell_can_be_set_while_the_others_are_held(
    cells: int, number: int, sharing: list[int]
) -> None:
    felt: list[Floats] = []
    actuator = make_actuator(8, felt)
    assert actuator.list_sharing(cells, number) == sharing
    kelvin = np.full(cells, 298.0)
    kelvin[actuator.find_cells(cells, number)] = 330.0
    actuator.held_k = dict.fromkeys(sharing, 298.0)
    actuator.apply(Command(0.0, np.zeros(cells), kelvin))
    assert np.flatnonzero(felt[0] > 300.0).tolist() == [number - 1]
