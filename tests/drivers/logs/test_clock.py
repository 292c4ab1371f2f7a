"""Times of every kind end up strictly rising, or the file is refused; each repair is said and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.errors import LogError
from drivers.logs.log import CellLog, read_log
from tests.drivers.logs.synthetic import record, write_plain, write_rows

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.snapshot import Floats

LOG = record()


def read_with(path: Path, t_s: Floats) -> CellLog:
    read = read_log(write_plain(path / "log.csv", LOG, t=t_s.tolist()))
    assert (np.diff(read.time_s) > 0).all()
    return read


def note_of(read: CellLog, word: str) -> str:
    return next(note for note in read.notes if word in note)


def test_rows_out_of_order_are_sorted(tmp_path: Path) -> None:
    order = np.arange(len(LOG.t_s))
    order[[50, 51, 120, 130]] = order[[51, 50, 130, 120]]
    columns = {"t": LOG.t_s[order], "v": LOG.voltage_v[order], "i": LOG.charge_a[order]}
    read = read_log(write_plain(tmp_path / "log.csv", LOG, **{k: v.tolist() for k, v in columns.items()}))
    assert read.counts["unsorted_rows"] == 4
    np.testing.assert_allclose(read.voltage_v, LOG.voltage_v, atol=1e-6)
    assert read.row[50] == 53  # sample 50 stands one line below its place: the header is line 1
    assert "first at row 53" in note_of(read, "out of order")


def test_parts_of_a_file_in_the_wrong_order_are_sorted(tmp_path: Path) -> None:
    order = np.roll(np.arange(len(LOG.t_s)), 100)
    columns = {"t": LOG.t_s[order], "v": LOG.voltage_v[order], "i": LOG.charge_a[order]}
    read = read_log(write_plain(tmp_path / "log.csv", LOG, **{k: v.tolist() for k, v in columns.items()}))
    assert read.counts == {"unsorted_rows": 240}
    np.testing.assert_allclose(read.voltage_v, LOG.voltage_v, atol=1e-6)


def test_shuffled_rows_are_sorted(tmp_path: Path) -> None:
    order = np.random.default_rng(7).permutation(len(LOG.t_s))
    columns = {"t": LOG.t_s[order], "v": LOG.voltage_v[order], "i": LOG.charge_a[order]}
    read = read_log(write_plain(tmp_path / "log.csv", LOG, **{k: v.tolist() for k, v in columns.items()}))
    np.testing.assert_allclose(read.current_a, LOG.current_a, atol=1e-6)


def test_copies_of_a_row_are_left_out(tmp_path: Path) -> None:
    twice = np.sort(np.concatenate([np.arange(len(LOG.t_s)), [10, 99]]))
    columns = {"t": LOG.t_s[twice], "v": LOG.voltage_v[twice], "i": LOG.charge_a[twice]}
    read = read_log(write_plain(tmp_path / "log.csv", LOG, **{k: v.tolist() for k, v in columns.items()}))
    assert read.counts["repeated_rows"] == 2
    assert len(read) == len(LOG.t_s)
    assert "first row 13" in note_of(read, "copy of the one before")


def test_a_repeated_time_is_left_out(tmp_path: Path) -> None:
    t_s = LOG.t_s.copy()
    t_s[[40, 80]] = t_s[[39, 79]]  # the current steps there
    read = read_with(tmp_path, t_s)
    assert read.counts["repeated_times"] == 2
    assert 42 not in read.row


def test_coarse_times_are_spread(tmp_path: Path) -> None:
    read = read_with(tmp_path, np.floor(LOG.t_s / 4.0))
    assert read.counts["spread_times"] == 180
    np.testing.assert_allclose(np.diff(read.time_s), 0.25)


@pytest.mark.parametrize("step_s", [-3600.0, -20.0])
def test_a_clock_that_steps_back_is_joined(step_s: float, tmp_path: Path) -> None:
    t_s = LOG.t_s + 7200.0
    t_s[105:] += step_s
    read = read_with(tmp_path, t_s)
    assert read.counts["clock_steps"] == 1
    assert "unsorted_rows" not in read.counts
    np.testing.assert_allclose(np.diff(read.time_s), 1.0)
    assert "first at row 107" in note_of(read, "steps back")


def test_a_clock_that_was_set_is_joined(tmp_path: Path) -> None:
    t_s = LOG.t_s.copy()
    t_s[105:] += 1.7e9
    read = read_with(tmp_path, t_s)
    assert read.counts["clock_steps"] == 1
    np.testing.assert_allclose(np.diff(read.time_s), 1.0)


def test_a_forward_step_that_the_counter_does_not_show_is_joined(tmp_path: Path) -> None:
    t_s = LOG.t_s.copy()
    t_s[105:] += 3600.0  # while 3 A discharge the cell
    current = LOG.charge_a.copy()
    assert current[104] == current[105] != 0.0
    read = read_log(write_plain(tmp_path / "log.csv", LOG, t=t_s.tolist(), ah=LOG.ah.tolist()))
    assert read.counts["clock_steps"] == 1
    np.testing.assert_allclose(np.diff(read.time_s), 1.0)


def test_parts_that_start_again_are_joined(tmp_path: Path) -> None:
    t_s = LOG.t_s % 80.0
    read = read_with(tmp_path, t_s)
    assert read.counts["clock_steps"] == 2
    np.testing.assert_allclose(np.diff(read.time_s), 1.0)
    assert "starts again 2 times, first at row 82" in note_of(read, "starts again")


def test_gaps_are_kept_and_counted(tmp_path: Path) -> None:
    t_s = LOG.t_s.copy()
    t_s[105:] += 500.0
    read = read_with(tmp_path, t_s)
    assert read.counts["gaps"] == 1
    assert "the longest 501 s before row 107" in note_of(read, "gap")
    np.testing.assert_allclose(read.time_s, t_s)


def test_a_second_period_is_no_gap(tmp_path: Path) -> None:
    t_s = np.concatenate([LOG.t_s[:200], 199.0 + 60.0 * np.arange(1.0, 41.0, dtype=np.float64)])
    assert "gaps" not in read_with(tmp_path, t_s).counts


def test_a_column_that_is_no_time_is_refused(tmp_path: Path) -> None:
    path = write_plain(tmp_path / "log.csv", LOG, t=np.sin(np.arange(240.0)).tolist())
    with pytest.raises(LogError, match=r"log\.csv:\d+ column 'Time \[s\]' falls at \d+ of 240 rows") as caught:
        read_log(path)
    assert "time=5s" in caught.value.hint


def test_a_time_that_stands_still_is_refused(tmp_path: Path) -> None:
    path = write_plain(tmp_path / "log.csv", LOG, t=[5.0] * 240)
    with pytest.raises(LogError, match="holds the same time in all rows"):
        read_log(path)


def test_rows_at_a_fixed_period_need_no_column_of_times(tmp_path: Path) -> None:
    rows = [["Voltage (V)", "Current (A)"], *zip(LOG.voltage_v.tolist(), LOG.charge_a.tolist(), strict=True)]
    path = write_rows(tmp_path / "log.csv", rows)
    with pytest.raises(LogError, match="no column that is known to hold the time"):
        read_log(path)
    read = read_log(path, columns={"time": "500 ms"})
    np.testing.assert_allclose(read.time_s, 0.5 * np.arange(240))


@pytest.mark.parametrize(
    ("first", "later", "step_s"),
    [
        ("2018-11-20 10:41:24", "2018-11-20 10:41:34", 10.0),
        ("2018-11-20T23:59:55.5Z", "2018-11-21T00:00:05.5Z", 10.0),
        ("31/12/2020 23:59:55", "01/01/2021 00:00:05", 10.0),
        ("12/31/2020 11:59:55 PM", "01/01/2021 12:00:05 AM", 10.0),
        ("05/02/2021 23:59:55", "06/02/2021 00:00:05", 10.0),
        ("31.12.2020 23:59:55", "01.01.2021 00:00:05", 10.0),
        ("31-Dec-20 11:59:55 PM", "01-Jan-21 12:00:05 AM", 10.0),
        ("0d 23:59:55", "1d 00:00:05", 10.0),
        ("0 23:59:55.00", "1 00:00:05.00", 10.0),
        ("23:59:55", "24:00:05", 10.0),
        ("00:00:00:000", "00:00:10:500", 10.5),
    ],
)
def test_times_as_text_are_times(first: str, later: str, step_s: float, tmp_path: Path) -> None:
    rows = [["Date_Time", "Voltage(V)", "Current(A)"], [first, 3.7, 0.0], [later, 3.6, -1.0]]
    read = read_log(write_rows(tmp_path / "log.csv", rows), sign="charge")
    np.testing.assert_allclose(np.diff(read.time_s), step_s)


def test_time_without_unit_takes_the_scale_of_the_dates(tmp_path: Path) -> None:
    dates = [f"2020-01-01 00:{k // 60:02d}:{k % 60:02d}" for k in range(240)]
    rows = zip((LOG.t_s / 60.0).tolist(), dates, LOG.voltage_v.tolist(), LOG.charge_a.tolist(), strict=True)
    read = read_log(write_rows(tmp_path / "log.csv", [["Time", "Date", "Voltage", "Current"], *rows]))
    np.testing.assert_allclose(read.time_s, LOG.t_s, atol=1e-4)
    assert read.counts["off_by_scale"] == 1


def test_date_is_used_where_the_time_of_the_step_starts_again(tmp_path: Path) -> None:
    dates = [f"2020-01-01 00:{k // 60:02d}:{k % 60:02d}" for k in range(240)]
    rows = zip((LOG.t_s % 10).tolist(), dates, LOG.voltage_v.tolist(), LOG.charge_a.tolist(), strict=True)
    read = read_log(write_rows(tmp_path / "log.csv", [["Time", "Timestamp", "Voltage", "Current"], *rows]))
    np.testing.assert_allclose(np.diff(read.time_s), 1.0)
    assert "clock_steps" not in read.counts
