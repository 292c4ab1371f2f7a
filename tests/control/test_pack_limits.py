"""Limits that a bench file states narrower than its cell bound what a lane of a run promises."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from control.gate_config import build_lane, make_pack_spec
from drivers.benchfile import read_bench
from drivers.snapshot import PackReading
from twin.ports import PackSpec
from twin.power import find_bounds

if TYPE_CHECKING:
    from drivers.benchfile.model import Bench
    from twin.ports import HealthEstimate

BENCHES = Path(__file__).resolve().parents[2] / "fixtures" / "benches"
CURRENT, VOLTAGE, TEMPERATURE = "bench = [-80.0, 80.0]", "bench = [0.50, 5.00]", "bench = [-35.0, 70.0]"


def read_changed(folder: Path, *changes: tuple[str, str]) -> Bench:
    """The shipped bench with other lines."""
    shutil.copytree(BENCHES, folder / "benches")
    shutil.copytree(BENCHES.parent / "bms", folder / "bms")
    path = folder / "benches" / "hil24.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    return read_bench(path)


def test_a_silent_bench_allows_what_its_cell_does() -> None:
    pack = make_pack_spec(read_bench(BENCHES / "hil24.toml"))
    unbounded = PackSpec(24, pack.parallel, pack.cell_ah, pack.soc0, pack.soc0, pack.soc0, pack.ambient_k, pack.cell)
    assert find_bounds(pack) == pytest.approx(find_bounds(unbounded), rel=1e-12)
    assert (pack.limits.charge_a, pack.limits.discharge_a) == (60.0, 60.0)


@pytest.mark.parametrize("unit", ["A", "mA"])
def test_a_narrower_device_current_bounds_the_power_of_every_lane_of_a_run(tmp_path: Path, unit: str) -> None:
    """The device itself reports 60 A, each way."""
    size = {"A": 1, "mA": 1000}[unit]
    row = f'unit = "{unit}"\ndevice = [{-10.0 * size}, {20.0 * size}]\nbench = [{-80.0 * size}, {80.0 * size}]'
    bench = read_changed(tmp_path, (f'unit = "A"\n{CURRENT}', row))
    pack = make_pack_spec(bench)
    cells = np.ones(pack.cells)
    reading = PackReading(0.0, 0.0, 0.0 * cells, 3.75 * cells, 298.15 * cells, 60.0, 60.0)
    power = cast("HealthEstimate", build_lane(bench, bench.active("estimator"), pack).update(reading, 1.0)).power[0]
    assert power.discharge_w == pytest.approx(20.0 * pack.cells * 3.7, rel=0.05)
    assert power.charge_w == pytest.approx(10.0 * pack.cells * 3.75, rel=0.05)


def test_narrower_voltages_and_temperatures_bound_the_power_too(tmp_path: Path) -> None:
    bench = read_changed(
        tmp_path,
        (VOLTAGE, f"device = [3.0, 4.1]\n{VOLTAGE}"),
        (TEMPERATURE, f"device = [0.0, 40.0]\n{TEMPERATURE}"),
    )
    bounds = find_bounds(make_pack_spec(bench))
    assert bounds[:4] == pytest.approx((3.0, 4.1, 273.15, 313.15))
