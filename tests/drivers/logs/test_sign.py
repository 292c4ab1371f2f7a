"""The direction of the current is found and said, or given, or asked for; the counter follows one convention."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.errors import LogError
from drivers.logs.log import read_log
from tests.drivers.logs.synthetic import record, write_plain

if TYPE_CHECKING:
    from pathlib import Path

LOG = record()


@pytest.mark.parametrize("factor", [1.0, -1.0])
def test_steps_of_the_voltage_show_the_direction(factor: float, tmp_path: Path) -> None:
    read = read_log(write_plain(tmp_path / "log.csv", LOG, i=(factor * LOG.charge_a).tolist()))
    np.testing.assert_allclose(read.current_a, LOG.current_a, atol=1e-6)
    word = "charge" if factor > 0 else "discharge"
    assert any(note.startswith(f"positive current is {word}: the voltage") for note in read.notes)


@pytest.mark.parametrize("factor", [1.0, -1.0])
def test_a_long_charge_shows_the_direction(factor: float, tmp_path: Path) -> None:
    volts = np.linspace(3.0, 4.2, 240).tolist()
    read = read_log(write_plain(tmp_path / "log.csv", LOG, v=volts, i=[factor] * 240))
    assert (read.current_a == -1.0).all()


@pytest.mark.parametrize("factor", [1.0, -1.0])
def test_counters_of_charge_and_discharge_show_the_direction(factor: float, tmp_path: Path) -> None:
    counters = {
        "Charge_Capacity(Ah)": [0.0] * 240,
        "Discharge_Capacity(Ah)": (2.0 / 3600 * np.arange(240)).tolist(),
    }
    path = write_plain(tmp_path / "log.csv", LOG, v=[3.3] * 240, i=[factor * 2.0] * 240, **counters)
    read = read_log(path)
    assert (read.current_a == 2.0).all()
    assert read.ah is not None
    assert read.ah[-1] == pytest.approx(-2.0 / 3600 * 239, abs=1e-6)


def test_a_sign_reversed_against_the_maker_is_said(tmp_path: Path) -> None:
    other = {"Step_Time": [0.0] * 240, "Step_Index": [1] * 240, "Test_Time(s)": LOG.t_s.tolist()}
    read = read_log(write_plain(tmp_path / "log.csv", LOG, i=LOG.current_a.tolist(), **other))
    assert read.vendor == "Arbin"
    np.testing.assert_allclose(read.current_a, LOG.current_a, atol=1e-6)
    assert any("reversed against what the maker writes" in note for note in read.notes)


def test_a_log_that_shows_no_direction_asks_for_it(tmp_path: Path) -> None:
    path = write_plain(tmp_path / "log.csv", LOG, v=[3.3] * 240)
    with pytest.raises(LogError, match="does not show which current is positive") as caught:
        read_log(path)
    assert "--sign charge or --sign discharge" in caught.value.hint
    assert (read_log(path, sign="discharge").current_a == LOG.charge_a).all()
    assert (read_log(path, sign="charge").current_a == LOG.current_a).all()


def test_a_given_sign_that_the_voltage_contradicts_is_kept_and_doubted(tmp_path: Path) -> None:
    read = read_log(write_plain(tmp_path / "log.csv", LOG), sign="discharge")
    np.testing.assert_allclose(read.current_a, LOG.charge_a, atol=1e-6)
    assert read.counts["sign_doubts"] == 1
    assert any(note.startswith("against that, the voltage rises") for note in read.notes)


def test_an_unknown_sign_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="has no sign 'up'"):
        read_log(write_plain(tmp_path / "log.csv", LOG), sign="up")


def test_a_rest_needs_no_sign(tmp_path: Path) -> None:
    read = read_log(write_plain(tmp_path / "log.csv", LOG, i=[0.0] * 240))
    assert (read.current_a == 0.0).all()
    assert any("no current flows" in note for note in read.notes)


def test_a_current_without_sign_takes_that_of_the_words(tmp_path: Path) -> None:
    words = {1: "CC_Chg", -1: "CC_DChg", 0: "Rest"}
    columns = {"i": np.abs(LOG.charge_a).tolist(), "Step Type": [words[s] for s in LOG.state]}
    read = read_log(write_plain(tmp_path / "log.csv", LOG, **columns))
    np.testing.assert_allclose(read.current_a, LOG.current_a, atol=1e-6)
    assert read.counts["signed_rows"] == sum(s != 0 for s in LOG.state)


@pytest.mark.parametrize("factor", [1.0, -1.0])
def test_a_counter_falls_while_the_cell_discharges(factor: float, tmp_path: Path) -> None:
    read = read_log(write_plain(tmp_path / "log.csv", LOG, ah=(factor * LOG.ah).tolist()))
    assert read.ah is not None
    np.testing.assert_allclose(read.ah, LOG.ah, atol=1e-6)


def test_a_counter_that_starts_again_is_joined(tmp_path: Path) -> None:
    ah = LOG.ah.copy()
    ah[150:] -= ah[149]
    read = read_log(write_plain(tmp_path / "log.csv", LOG, ah=ah.tolist()))
    assert read.ah is not None
    assert read.counts["counter_restarts"] == 1
    np.testing.assert_allclose(read.ah, LOG.ah, atol=2e-6)


def test_a_counter_with_empty_cells_holds_its_value(tmp_path: Path) -> None:
    cells = ["" if k % 7 == 3 else value for k, value in enumerate(LOG.ah.tolist())]
    read = read_log(write_plain(tmp_path / "log.csv", LOG, ah=cells))
    assert read.ah is not None
    assert np.isfinite(read.ah).all()
    assert len(read) == 240


def test_a_counter_that_jumps_over_gaps_keeps_its_direction(tmp_path: Path) -> None:
    """Three discharges in one file, each charged again without rows: the counter stands high again behind the gap."""
    once = np.arange(80) * 1.0
    t_s = np.concatenate([once, 6000 + once, 12000 + once])
    ah = np.tile(-2.0 / 3600 * once, 3) + np.repeat([0.0, 0.1, 0.2], 80)
    volts = np.tile(np.concatenate([[4.0], np.linspace(3.8, 3.0, 79)]), 3)
    current = np.tile(np.concatenate([[0.0], np.full(79, -2.0)]), 3)
    columns = {"t": t_s, "v": volts, "i": current, "ah": ah}
    read = read_log(write_plain(tmp_path / "log.csv", LOG, **{k: v.tolist() for k, v in columns.items()}))
    assert read.ah is not None
    np.testing.assert_allclose(read.ah, ah, atol=1e-6)


def test_a_counter_that_is_known_only_in_rows_left_out_is_none(tmp_path: Path) -> None:
    ah = ["" if k else 0.5 for k in range(240)]
    volts = ["" if k == 0 else value for k, value in enumerate(LOG.voltage_v.tolist())]
    read = read_log(write_plain(tmp_path / "log.csv", LOG, v=volts, ah=ah))
    assert read.ah is None
    assert len(read) == 239
