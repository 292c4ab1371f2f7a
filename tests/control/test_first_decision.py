"""A lane compiles while it is built: its first decision on a bench takes no longer than the others."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from control.ports import CurrentRange
from drivers.snapshot import Estimate, PackReading
from twin import numba_kernel
from twin.ports import PackSpec

if TYPE_CHECKING:
    from control.ports import Controller
    from twin.ports import Estimator

CELLS = 24
DUTY = {"file": str(Path(__file__).parents[2] / "fixtures" / "benches" / "duty.csv")}
SETTINGS: dict[str, dict[str, Any]] = {
    "control.profile": DUTY,
    "control.cccv": {"current_a": 30.0, "voltage_v": 4.18},
    "control.mpc": DUTY,
    "control.rl": DUTY,
}
PACK = PackSpec(CELLS, 12, 5.0, np.full(CELLS, 0.6), np.ones(CELLS), np.ones(CELLS), 298.15)


def decide(controller: Controller, volts: float, dt_s: float) -> None:
    reading = PackReading(0.0, 1.0, np.zeros(CELLS), np.full(CELLS, volts), np.full(CELLS, 298.15))
    controller.decide(reading, Estimate(np.full(CELLS, 0.6), np.full(CELLS, 0.01)), CurrentRange(60.0, 60.0), dt_s)


@pytest.mark.parametrize("module", SETTINGS)
def test_no_kernel_is_loaded_or_compiled_after_a_lane_is_built(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    controller = importlib.import_module(module).build(PACK, SETTINGS[module])
    kernels = list(numba_kernel.ALL)
    before = [len(kernel.signatures) for kernel in kernels]
    for volts, dt_s in ((3.75, 0.0), (3.75, 0.01), (float("nan"), 0.01), (4.19, 0.2), (2.9, 0.2)):
        decide(controller, volts, dt_s)
    assert [len(kernel.signatures) for kernel in kernels] == before


def believe(estimator: Estimator, t_s: float, current_a: float, volts: float, dt_s: float) -> None:
    estimator.update(PackReading(t_s, current_a, np.zeros(CELLS), np.full(CELLS, volts), np.full(CELLS, 298.15)), dt_s)


@pytest.mark.parametrize("module", ["twin.ekf", "twin.ckf", "twin.dual_ekf", "twin.coulomb_counter"])
def test_no_kernel_is_loaded_or_compiled_after_an_estimator_is_built(module: str) -> None:
    """Steps of current end, rests begin and are paired, values are not known: all of it is compiled before."""
    estimator: Estimator = importlib.import_module(module).build(PACK, {"soc0": 0.6})
    before = [len(kernel.signatures) for kernel in numba_kernel.ALL]
    parts = ((1200, 0.0, 4.0), (60, 40.0, 3.9), (1800, 30.0, 3.7), (1200, 0.0, 3.6), (3, float("nan"), float("nan")))
    t_s = 0.0
    for seconds, current_a, volts in parts:
        for _ in range(seconds):
            t_s += 1.0
            believe(estimator, t_s, current_a, volts, 1.0)
    believe(estimator, t_s, 0.0, 3.6, 0.0)
    assert [len(kernel.signatures) for kernel in numba_kernel.ALL] == before
