"""What a bench file need not say of its cell, and what it may not say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from drivers.benchfile import read_bench, read_recorded_bench
from drivers.benchfile.cell_defaults import make_thresholds
from drivers.benchfile.cell_file import CELLS, find_cell, list_cells, read_cell, read_default_cell
from drivers.errors import BenchFileError

BENCHES = Path(__file__).resolve().parents[2] / "fixtures" / "benches"
HIL24 = BENCHES / "hil24.toml"
NAMED = 'cell = "chen2020"'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped bench with what it names."""
    shutil.copytree(BENCHES, tmp_path / "benches")
    shutil.copytree(BENCHES.parent / "bms", tmp_path / "bms")
    return tmp_path / "benches"


def rewrite(folder: Path, *changes: tuple[str, str]) -> Path:
    path = folder / "hil24.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    return path


def device_limits(path: Path) -> dict[str, tuple[float, float] | None]:
    return {limit.channels: limit.device for limit in read_bench(path).limit}


def test_the_shipped_bench_states_no_limit_of_its_cell_and_has_them() -> None:
    limits = device_limits(HIL24)
    assert limits["cell_*/voltage"] == (2.80, 4.25)
    assert limits["supply/current"] == (-60.0, 60.0)
    assert limits["bms/temperature_*"] == (-20.0, 55.0)
    assert "2.80" not in HIL24.read_text(encoding="utf-8")
    assert read_bench(HIL24).pack.cell_ah == 5.0


def test_another_cell_and_another_pack_are_all_that_changes(folder: Path) -> None:
    path = rewrite(folder, (NAMED, 'cell = "prada2013"'), ("parallel = 12", "parallel = 8"))
    limits = device_limits(path)
    assert limits["cell_*/voltage"] == (2.30, 3.65)
    assert limits["supply/current"] == (-40.0, 40.0)
    assert read_bench(path).cell.file.chemistry == "LFP"


def test_each_row_of_cells_follows_unless_it_states_its_own(folder: Path) -> None:
    row = '[[limit]]\nchannels = "cell_*/voltage"\nunit = "V"\nbench = [0.50, 5.00]'
    parts = [row.replace("cell_*", f"cell_{tens}?") for tens in range(3)]
    parts[1] += "\ndevice = [3.0, 4.1]"
    limits = device_limits(rewrite(folder, (row, "\n".join(parts))))
    found = [limits[f"cell_{tens}?/voltage"] for tens in range(3)]
    assert found == [(2.80, 4.25), (3.0, 4.1), (2.80, 4.25)]


def test_limits_in_another_unit_follow_too(folder: Path) -> None:
    path = rewrite(folder, ('unit = "V"\nbench = [0.50, 5.00]', 'unit = "mV"\nbench = [500, 5000]'))
    assert device_limits(path)["cell_*/voltage"] == pytest.approx((2800.0, 4250.0))


@pytest.mark.parametrize(
    ("stated", "says"),
    [
        ("[2.80, 4.40]", "limit[0].device[1] = 4.4 V is above the 4.25 V that Chen2020 bears"),
        ("[2.30, 4.20]", "limit[0].device[0] = 2.3 V is below the 2.5 V that Chen2020 bears"),
    ],
)
def test_a_stated_limit_that_the_cell_does_not_bear_is_refused_with_both_numbers(
    folder: Path, stated: str, says: str
) -> None:
    path = rewrite(folder, ("bench = [0.50, 5.00]", f"device = {stated}\nbench = [0.50, 5.00]"))
    with pytest.raises(BenchFileError, match="bears") as caught:
        read_bench(path)
    assert says in str(caught.value)
    assert caught.value.bound


def test_a_stated_limit_within_the_cell_stands(folder: Path) -> None:
    path = rewrite(folder, ("bench = [0.50, 5.00]", "device = [3.00, 4.10]\nbench = [0.50, 5.00]"))
    assert device_limits(path)["cell_*/voltage"] == (3.0, 4.1)


def test_a_cell_whose_limits_are_beyond_the_bench_is_refused(folder: Path) -> None:
    path = rewrite(folder, ("parallel = 12", "parallel = 40"))
    with pytest.raises(BenchFileError, match=r"bench\[0\] = -80.0 A is above the device limit -200.0 A"):
        read_bench(path)


def test_a_bench_from_before_there_were_cell_files_is_read_and_said(folder: Path) -> None:
    path = rewrite(folder, (NAMED, "cell_ah = 4.8"))
    bench = read_bench(path)
    assert bench.cell.sha256 == read_default_cell().sha256
    assert bench.pack.cell_ah == 4.8
    assert any('pack names no cell and is read with chen2020; write cell = "chen2020"' in note for note in bench.notes)


def test_a_pack_that_names_nothing_of_its_cell_is_refused(folder: Path) -> None:
    with pytest.raises(BenchFileError, match=r"pack\.cell is missing"):
        read_bench(rewrite(folder, (NAMED, "")))


def test_a_cell_file_of_ones_own_is_found_beside_the_bench_and_needs_its_text_in_a_record(folder: Path) -> None:
    shutil.copy(CELLS / "prada2013.toml", folder / "mine.toml")
    bench = read_bench(rewrite(folder, (NAMED, 'cell = "mine.toml"')))
    recorded = read_recorded_bench("hil24.toml", bench.document.text, bench.cell.text)
    assert recorded.cell.sha256 == bench.cell.sha256
    assert recorded.limit == bench.limit
    with pytest.raises(BenchFileError, match="neither a shipped cell nor a file"):
        read_recorded_bench("hil24.toml", bench.document.text)


def test_the_sheet_of_the_bms_follows_from_the_cell() -> None:
    """The numbers that the emulated BMS had before they were computed."""
    tables = make_thresholds(read_default_cell(), 60.0)
    limits = {name: (table["limit"], table["recover"]) for name, table in tables.items() if "limit" in table}
    assert limits == {
        "cell_overvoltage": (4.25, 4.20),
        "cell_undervoltage": (2.80, 2.90),
        "overcurrent_charge": (60.0, 1.0),
        "overcurrent_discharge": (60.0, 1.0),
        "overtemperature": (55.0, 50.0),
        "undertemperature": (-20.0, -15.0),
    }
    advertised = tables["limits"]
    assert (advertised["charge_a"], advertised["discharge_a"]) == pytest.approx((45.0, 55.0))
    assert advertised["charge_taper_v"] == pytest.approx([4.16, 4.23])
    assert advertised["discharge_taper_v"] == pytest.approx([3.05, 2.85])
    assert advertised["charge_cold_degc"] == [10.0, -5.0]
    assert advertised["discharge_cold_degc"] == [0.0, -20.0]
    assert advertised["hot_degc"] == [46.0, 54.0]


@pytest.mark.parametrize("name", list_cells())
def test_every_shipped_cell_fits_the_shipped_bench(folder: Path, name: str) -> None:
    bench = read_bench(rewrite(folder, (NAMED, f'cell = "{name}"')))
    cell = read_cell(find_cell(name, CELLS))
    tables = make_thresholds(cell, bench.pack.element_ah)
    low_v, high_v = cell.file.limits.voltage_v
    assert low_v < tables["limits"]["discharge_taper_v"][0] < tables["limits"]["charge_taper_v"][0] < high_v
    assert low_v < tables["balancing"]["above_v"] < high_v
