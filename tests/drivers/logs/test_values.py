"""Bad values, units and cut files: refused or repaired, with a sentence and a count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from drivers.errors import LogError
from drivers.logs.log import read_log
from tests.drivers.logs.synthetic import OHM, record, write_plain, write_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LOG = record()


def changed(values: Sequence[Any], places: Sequence[int], to: object) -> list[Any]:
    return [to if k in places else value for k, value in enumerate(values)]


@pytest.mark.parametrize("text", ["", "NaN", "N/A", "inf"])
def test_rows_without_a_value_are_left_out(text: str, tmp_path: Path) -> None:
    path = write_plain(tmp_path / "log.csv", LOG, v=changed(LOG.voltage_v.tolist(), [7, 9], text))
    read = read_log(path)
    assert read.counts["left_out"] == 2
    assert len(read) == 238
    assert np.isfinite(read.voltage_v).all()
    assert any("first row 9, column Voltage [V]" in note for note in read.notes)


def test_text_in_place_of_a_number_is_counted_and_located(tmp_path: Path) -> None:
    read = read_log(write_plain(tmp_path / "log.csv", LOG, i=changed(LOG.charge_a.tolist(), [30], "overload")))
    assert read.counts["not_numbers"] == 1
    assert any("first row 32, column Current [A]" in note for note in read.notes)
    assert 32 not in read.row


def test_temperatures_that_are_missing_are_filled(tmp_path: Path) -> None:
    read = read_log(write_plain(tmp_path / "log.csv", LOG, temp=changed([25.0] * 240, [3, 4], "NaN")))
    assert read.counts["bad_temperatures"] == 2
    assert read.temperature_k is not None
    np.testing.assert_allclose(read.temperature_k, 298.15)


@pytest.mark.parametrize("column", ["v", "i", "temp"])
@pytest.mark.parametrize("code", [9999.0, -999.0, 32767.0, 65.535, 6553.5, 1e30, -32768.0, 9.91e37])
def test_sentinels_are_left_out(column: str, code: float, tmp_path: Path) -> None:
    values = {"v": LOG.voltage_v.tolist(), "i": LOG.charge_a.tolist(), "temp": LOG.temperature_c.tolist()}
    read = read_log(write_plain(tmp_path / "log.csv", LOG, **{column: changed(values[column], [8, 100], code)}))
    assert read.counts["sentinels"] == 2
    assert np.abs(read.voltage_v).max() < 5
    assert np.abs(read.current_a).max() < 5
    assert read.temperature_k is None or np.abs(read.temperature_k - 298.15).max() < 1


def test_a_value_near_others_is_no_sentinel(tmp_path: Path) -> None:
    scaled = 65.535 + LOG.voltage_v - LOG.voltage_v[100]
    read = read_log(write_plain(tmp_path / "log.csv", LOG, v=scaled.tolist()))
    assert "sentinels" not in read.counts
    assert len(read) == 240


def test_a_voltage_that_drops_out_to_zero_is_left_out(tmp_path: Path) -> None:
    read = read_log(write_plain(tmp_path / "log.csv", LOG, v=changed(LOG.voltage_v.tolist(), [50], 0.0)))
    assert read.counts["sentinels"] == 1
    assert read.voltage_v.min() > 3


def test_a_cell_discharged_to_zero_keeps_its_rows(tmp_path: Path) -> None:
    falling = np.linspace(3.5, 0.0, 240)
    read = read_log(write_plain(tmp_path / "log.csv", LOG, v=falling.tolist(), i=[-1.0] * 240))
    assert len(read) == 240
    assert read.current_a[0] == 1.0


def test_millivolts_under_volts_are_scaled(tmp_path: Path) -> None:
    read = read_log(write_plain(tmp_path / "log.csv", LOG, v=(1000 * LOG.voltage_v).tolist()))
    np.testing.assert_allclose(read.voltage_v, LOG.voltage_v, atol=1e-6)
    assert read.counts["off_by_scale"] == 1
    assert any("Voltage [V] has a median of" in note and "mV" in note for note in read.notes)


def test_kilovolts_under_volts_are_scaled(tmp_path: Path) -> None:
    read = read_log(write_plain(tmp_path / "log.csv", LOG, v=[f"{v / 1000:.9f}" for v in LOG.voltage_v]))
    np.testing.assert_allclose(read.voltage_v, LOG.voltage_v, atol=1e-5)


def test_a_pack_keeps_its_volts(tmp_path: Path) -> None:
    read = read_log(write_plain(tmp_path / "log.csv", LOG, v=(200 * LOG.voltage_v).tolist()))
    np.testing.assert_allclose(read.voltage_v, 200 * LOG.voltage_v, atol=1e-6)


def test_milliamperes_under_amperes_are_scaled_by_the_counter(tmp_path: Path) -> None:
    log = record(period_s=10.0)
    path = write_plain(tmp_path / "log.csv", log, i=(1000 * log.charge_a).tolist(), ah=log.ah.tolist())
    read = read_log(path)
    np.testing.assert_allclose(read.current_a, log.current_a, atol=1e-6)
    assert read.counts["off_by_scale"] == 1


def test_milliamperes_under_amperes_are_scaled_by_the_resistance(tmp_path: Path) -> None:
    volts = LOG.voltage_v + 0.7 * OHM * LOG.current_a  # 15 mohm
    read = read_log(write_plain(tmp_path / "log.csv", LOG, v=volts.tolist(), i=(1000 * LOG.charge_a).tolist()))
    np.testing.assert_allclose(read.current_a, LOG.current_a, atol=1e-6)


def test_milliseconds_under_seconds_are_scaled_by_the_counter(tmp_path: Path) -> None:
    path = write_plain(tmp_path / "log.csv", LOG, t=(1000 * LOG.t_s).tolist(), ah=LOG.ah.tolist())
    np.testing.assert_allclose(read_log(path).time_s, LOG.t_s, atol=1e-6)


def test_a_counter_in_milliampere_hours_is_scaled(tmp_path: Path) -> None:
    read = read_log(write_plain(tmp_path / "log.csv", LOG, ah=(1000 * LOG.ah).tolist()))
    assert read.ah is not None
    np.testing.assert_allclose(read.ah, LOG.ah, atol=1e-6)
    np.testing.assert_allclose(read.current_a, LOG.current_a, atol=1e-6)


def test_a_large_cell_keeps_its_amperes(tmp_path: Path) -> None:
    """300 Ah and 0.2 mohm: hundreds of amperes are no milliamperes."""
    current = 100 * LOG.charge_a
    volts = 3.3 + 0.0002 * current
    read = read_log(write_plain(tmp_path / "log.csv", LOG, v=volts.tolist(), i=current.tolist()))
    np.testing.assert_allclose(read.current_a, -current, atol=1e-6)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("temp", 25.0),
        ("temp", 298.15),
        ("temp", 25000.0),
        ("Temperature [°F]", 77.0),
        ("Temperature (K)", 298.15),
        ("Temperature", 25.0),
    ],
)
def test_temperatures_are_brought_to_kelvin(header: str, value: float, tmp_path: Path) -> None:
    read = read_log(write_plain(tmp_path / "log.csv", LOG, **{header: [value] * 240}))
    assert read.temperature_k is not None
    np.testing.assert_allclose(read.temperature_k, 298.15, atol=0.01)


def test_units_in_the_header_are_converted(tmp_path: Path) -> None:
    rows = zip((LOG.t_s / 3600).tolist(), (1000 * LOG.voltage_v).tolist(), (1e3 * LOG.charge_a).tolist(), strict=True)
    text = [[f"{t:.9f}", v, i] for t, v, i in rows]
    read = read_log(write_rows(tmp_path / "log.csv", [["time/h", "Ewe/mV", "I/mA"], *text]))
    np.testing.assert_allclose(read.time_s, LOG.t_s, atol=1e-4)
    np.testing.assert_allclose(read.voltage_v, LOG.voltage_v, atol=1e-6)
    np.testing.assert_allclose(read.current_a, LOG.current_a, atol=1e-6)


def test_a_voltage_sensor_at_its_limit_is_left_out(tmp_path: Path) -> None:
    current = np.random.default_rng(3).uniform(-3.0, 3.0, 600)
    volts = np.minimum(3.7 + OHM * current, 3.75).tolist()
    read = read_log(write_plain(tmp_path / "log.csv", record(600), v=volts, i=current.tolist()))
    assert read.counts["saturated"] > 20
    assert any("the voltage stays at" in note for note in read.notes)


def test_a_current_sensor_at_its_limit_is_left_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    current = rng.uniform(-3.0, 3.0, 600)
    volts = (3.7 + OHM * current).tolist()
    log = record(600)
    read = read_log(write_plain(tmp_path / "log.csv", log, v=volts, i=np.clip(current, -1.0, 3.0).tolist()))
    assert read.counts["saturated"] > 20
    assert any("the current stays at -1" in note for note in read.notes)


def test_holds_at_constant_voltage_and_current_are_not_saturation(tmp_path: Path) -> None:
    current = np.concatenate([np.zeros(20), np.full(120, 2.0), 2.0 * np.exp(-np.arange(100) / 30)])
    volts = np.concatenate([np.full(20, 3.6), np.linspace(3.7, 4.2, 120), np.full(100, 4.2)])
    read = read_log(write_plain(tmp_path / "log.csv", LOG, v=volts.tolist(), i=current.tolist()))
    assert "saturated" not in read.counts
    assert len(read) == 240


def test_a_file_that_is_cut_off_loses_its_last_row(tmp_path: Path) -> None:
    path = write_plain(tmp_path / "log.csv", LOG, temp=[25.0] * 240)
    path.write_bytes(path.read_bytes()[:-20])
    read = read_log(path)
    assert len(read) == 239
    assert read.counts["short_rows"] == 1
    assert any("first row 241, the last one: the file is cut off there" in note for note in read.notes)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"   "])
def test_an_empty_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    with pytest.raises(LogError, match="is empty"):
        read_log(path)


def test_a_header_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="no rows of numbers"):
        read_log(write_rows(tmp_path / "log.csv", [["Time [s]", "Voltage [V]", "Current [A]"]]))


def test_a_log_that_is_mostly_empty_is_refused(tmp_path: Path) -> None:
    path = write_plain(tmp_path / "log.csv", LOG, v=changed(LOG.voltage_v.tolist(), range(60, 240), ""))
    with pytest.raises(LogError, match="in only 60 of 240 rows"):
        read_log(path)


def test_commas_in_numbers_and_between_them_are_refused(tmp_path: Path) -> None:
    rows = [["Time (s)", "Voltage (V)", "Current (A)"], *[["1,0,3,65,0,5"]] * 9]
    with pytest.raises(LogError, match="commas divide the columns and stand in the numbers too"):
        read_log(write_rows(tmp_path / "log.csv", rows))


def test_a_folder_or_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="cannot be read"):
        read_log(tmp_path / "none.csv")
    with pytest.raises(LogError, match="cannot be read"):
        read_log(tmp_path)
