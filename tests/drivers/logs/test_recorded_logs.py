"""Logs of real cells: every file of each data set is read, with the columns, signs and traps that its notes name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from drivers.errors import LogError
from drivers.logs.gaps import bound_gaps
from drivers.logs.log import CellLog, read_log

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA = Path(os.environ.get("PULSEBMS_DATA", Path(__file__).parents[4] / "shared" / "data"))
BITRODE: Final = {"time": "2", "current": "9", "voltage": "10", "ah": "12", "state": "14"}

# pattern, columns, voltage and current that the cell or pack can have, whether the log has temperature and counter
SETS: Final[dict[str, tuple[str, Mapping[str, str] | None, tuple[float, float], float, bool, bool]]] = {
    "LG HG2": ("lg_hg2_kollmeyer/*/*.parquet", None, (2.0, 4.3), 25.0, True, True),
    "Panasonic 18650PF": ("panasonic_18650pf_kollmeyer/*/*.parquet", None, (1.9, 4.4), 25.0, True, True),
    "INR 18650-20R": ("calce_inr18650_20r/*.parquet", None, (2.3, 4.3), 5.0, False, True),
    "A123 without times": ("lfp_a123_calce/A1237_*.parquet", {"time": "5s"}, (1.9, 3.8), 3.0, True, False),
    "A123": ("lfp_a123_calce/m0in92_*.parquet", None, (1.9, 3.8), 6.0, False, False),
    "LFP in the flat zone": ("lfp_tbsi_fisher/Long_*.mat", None, (3.0, 3.6), 4.0, False, False),
    "Leaf cell with header": ("nissan_leaf_cell/*-2[45]C-*.csv", None, (2.9, 4.3), 100.0, False, True),
    "Leaf cell with header, 40 degC": ("nissan_leaf_cell/*HPPC-40C*.csv", None, (2.9, 4.3), 100.0, False, True),
    "Leaf cell, no header": ("nissan_leaf_cell/*-Bitrode-data.csv", BITRODE, (2.9, 4.3), 100.0, False, True),
    "NASA": ("ageing_nasa/*_discharge_curves.parquet", None, (0.0, 4.4), 5.0, True, False),
    "BMW i3": ("bmw_i3_trips/Trip*.parquet", None, (290.0, 410.0), 420.0, True, False),
}
CASES: Final = [(name, path) for name, (pattern, *_) in SETS.items() for path in sorted(DATA.glob(pattern))]
ABSENT: Final = "the recorded logs (shared/data) are not here"


def read_with(name: str, path: Path) -> CellLog:
    return read_log(path, columns=SETS[name][1])


@pytest.mark.skipif(not CASES, reason=ABSENT)
@pytest.mark.parametrize(("name", "path"), CASES, ids=[path.name for _, path in CASES])
def test_log_of_a_real_cell_is_read(name: str, path: Path) -> None:
    _, _, (low, high), most_a, has_temperature, has_counter = SETS[name]
    log = read_with(name, path)
    assert (np.diff(log.time_s) > 0).all()
    assert low <= log.voltage_v.min() <= log.voltage_v.max() <= high
    assert np.abs(log.current_a).max() <= most_a
    if has_temperature:
        assert log.temperature_k is not None
        assert 230 < log.temperature_k.min() <= log.temperature_k.max() < 340
    assert (log.ah is not None) == has_counter
    assert not {"off_by_scale", "sentinels", "saturated", "sign_doubts", "unsorted_rows"} & log.counts.keys(), log.notes


@pytest.mark.skipif(not CASES, reason=ABSENT)
@pytest.mark.parametrize("name", ["LG HG2", "Panasonic 18650PF", "INR 18650-20R"])
def test_counter_and_integral_of_the_current_agree(name: str) -> None:
    worst = 0.0
    for path in sorted(DATA.glob(SETS[name][0])):
        log = read_with(name, path)
        assert log.ah is not None
        steps_s = np.diff(log.time_s)
        logged = steps_s <= bound_gaps(steps_s)
        taken = ((log.current_a[1:] + log.current_a[:-1]) / 2 * steps_s / 3600)[logged]
        differs = float(np.diff(log.ah)[logged].sum() + taken.sum())
        worst = max(worst, abs(differs) / max(float(np.abs(taken).sum()), 1.0))
    print(f"{name}: counter and integral differ by at most {worst:.2%} of the charge moved")  # noqa: T201  # the figure
    assert worst < 0.03


@pytest.mark.skipif(not CASES, reason=ABSENT)
@pytest.mark.parametrize("cell", ["B0025", "B0045"])
def test_discharges_in_one_file_are_joined_and_said(cell: str) -> None:
    log = read_log(DATA / f"ageing_nasa/{cell}_discharge_curves.parquet")
    assert log.counts["clock_steps"] > 20
    assert any("starts again" in note for note in log.notes)


@pytest.mark.skipif(not CASES, reason=ABSENT)
def test_times_that_hold_the_current_are_refused_until_a_period_is_given() -> None:
    path = DATA / "lfp_tbsi_fisher/With_constant_current_25_degree.mat"
    with pytest.raises(LogError, match=r"column 'battery_tests\.time' falls at \d+ of 17663 rows: that is no time"):
        read_log(path)
    log = read_log(path, columns={"time": "1s"})
    assert len(log) == 17663
    assert log.current_a.max() == pytest.approx(2.4, abs=0.01)


@pytest.mark.skipif(not CASES, reason=ABSENT)
def test_a_curve_without_time_is_refused_with_its_columns() -> None:
    with pytest.raises(LogError, match="it has M_OCV"):
        read_log(DATA / "lfp_tbsi_fisher/Real_SOC_OCV_Curve.mat")
