"""One function checks a bench file and everything that it names, and tells all mistakes at once."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from drivers.benchfile import read_bench
from drivers.benchfile.copy import copy_bench
from drivers.benchfile.document import Document
from drivers.benchfile.inputs import list_names
from drivers.channel_names import sensed_voltage
from drivers.errors import BenchFileError
from tests.control.rl.duty_policy import make_duty_policy
from tests.workbench.cell_counts import make_bench
from tests.workbench.live import HIL24
from workbench.engine.bench_checks import read_checked_bench

if TYPE_CHECKING:
    from pathlib import Path

BMS = HIL24.parents[1] / "bms"


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A copy of the emulated bench with all files that it names."""
    shutil.copytree(HIL24.parent, tmp_path / "benches")
    shutil.copytree(BMS, tmp_path / "bms", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return tmp_path / "benches" / HIL24.name


def change(bench: Path, *pairs: tuple[str, str]) -> None:
    text = bench.read_text(encoding="utf-8")
    for right, wrong in pairs:
        assert right in text
        text = text.replace(right, wrong, 1)
    bench.write_text(text, encoding="utf-8")


def mistakes(bench: Path) -> tuple[BenchFileError, ...]:
    with pytest.raises(BenchFileError) as caught:
        read_checked_bench(bench)
    return tuple(one for one in caught.value.all if isinstance(one, BenchFileError))


def test_the_shipped_bench_has_no_mistake(bench: Path) -> None:
    checked = read_checked_bench(bench)
    assert (checked.bench.path, checked.info.cells) == (bench, 24)
    assert checked.mapped.dbc_hash == checked.bench.dut.dbc_sha256


@pytest.mark.parametrize("cells", [1, 7, 12, 16, 24])
def test_a_bench_of_any_count_of_cells_needs_another_count_and_other_numbers_in_its_map(
    tmp_path: Path, cells: int
) -> None:
    checked = read_checked_bench(make_bench(tmp_path, cells))
    assert checked.info.cells == cells
    mapped = {channel.name for channel in checked.mapped.channels}
    assert {sensed_voltage(number) for number in range(1, 26)} & mapped == {
        sensed_voltage(number) for number in range(1, cells + 1)
    }


def test_a_map_of_fewer_cells_than_the_pack_has_is_refused(tmp_path: Path) -> None:
    bench = make_bench(tmp_path, 12)
    bench.write_text(bench.read_text(encoding="utf-8").replace("cells = 12", "cells = 13"), encoding="utf-8")
    assert any(sensed_voltage(13) in str(mistake) for mistake in mistakes(bench))


HASH = "dea3e1514746e1a9f8a6155de8c55063ce0d1980a399873594375ed6f12998e9"
WRONG = [
    (('"twin.ecm"', '"twin.ecn"'), "lane[1].module", '"twin.ecn" is not a module; did you mean twin.ecm?'),
    (('"twin.ecm"', '"twn.ecm"'), "lane[1].module", '"twn.ecm" is not a module; did you mean twin.ecm?'),
    (('module = "twin.ecm"', 'module = "twin.hold"'), "lane[1].module", "has no function build; see docs/lanes.md"),
    (("soc0 = 0.60", "soc = 0.60"), "lane[3].settings.soc", "is not a setting of twin.ekf; did you mean soc0?"),
    (('"../bms/thresholds.toml"', '"../bms/limits.toml"'), "device_limits.thresholds", "is not a file; paths are"),
    ((HASH, "1" + HASH[1:]), "dut.dbc_sha256", f'or accept this one: dbc_sha256 = "{HASH}"'),
    (("cells = 24", "cells = 12"), "pack.cells", "maps the voltages of 24 cells; set cells = 24"),
    (('interface = "emulated"', 'interface = "socketcam"'), "dut.interface", "did you mean socketcan?"),
    (('map = "pulse24.dut.toml"', 'map = "pulse.dut.toml"'), "dut.map", '= "pulse.dut.toml" is not a file; paths are'),
    (('"duty.csv"', '"dutty.csv"'), ".settings.file", '= "dutty.csv" is not a file; paths are'),
    (('map = "pulse24.dut.toml"', r'map = "new\new.toml"'), "dut.map", "has a backslash that begins an escape"),
    (('"supply/current"', '"suply/current"'), "limit[2].channels", 'correct "suply/current", or add'),
    (("ambient_degc = 25.0", "ambient_deg = 25.0"), "pack.ambient_deg", "did you mean ambient_degc?"),
]  # fmt: skip


@pytest.mark.parametrize(("pair", "key", "said"), WRONG)
def test_a_mistake_has_folder_line_key_value_and_suggestion(
    bench: Path, pair: tuple[str, str], key: str, said: str
) -> None:
    change(bench, pair)
    found = [one for one in mistakes(bench) if said in str(one)]
    assert len(found) == 1
    lines = bench.read_text(encoding="utf-8").splitlines()
    assert found[0].where == str(bench)
    assert any(part in lines[(found[0].line or 0) - 1] for part in pair[1].split('"') if part.strip(' ="'))
    assert str(found[0].key).endswith(key)
    assert found[0].value is not None
    assert found[0].hint


def test_all_mistakes_are_told_at_once_also_beside_one_that_spoils_the_file(bench: Path) -> None:
    change(bench, *(pair for pair, _, _ in WRONG[3:8]), ('module = "twin.ecm"', 'module = "twin.ecn"'))
    expected = [said for _, _, said in WRONG[3:8]] + ['"twin.ecn" is not a module']
    assert all(any(said in str(one) for one in mistakes(bench)) for said in expected)
    change(bench, ("rate_hz = 100", "rate_hertz = 100"), ("hold_ms = 100", "hold_ms = -1"))
    told = list(map(str, mistakes(bench)))
    assert all(any(said in one for one in told) for said in [*expected, "did you mean rate_hz?", "hold_ms = -1"])
    assert len(told) == len(set(told))


@pytest.mark.parametrize(
    ("name", "right", "wrong", "said"),
    [
        ("pulse24.dut.toml", 'signal = "PackCurrent"', 'signal = "PackCurent"', "did you mean PackCurrent?"),
        ("pulse24.dut.toml", 'dbc = "pulse24.dbc"', 'dbc = "pulse.dbc"', 'dbc = "pulse.dbc" is not a file'),
        ("pulse24.dut.toml", "scale = 0.01", "scale = 0,01", "a decimal comma in 0,01; write 0.01"),
        ("../bms/thresholds.toml", "debounce_ms = 100", "limit = 4,25", "a decimal comma in 4,25; write 4.25"),
        ("../bms/thresholds.toml", "debounce_ms = 100", "debounce = 100", "debounce_ms is missing"),
        ("duty.csv", "t_s,c_rate", "t_s,current", "duty.csv:1 is not a current profile"),
    ],
)
def test_each_named_file_is_read(bench: Path, name: str, right: str, wrong: str, said: str) -> None:
    change(bench.parent / name, (right, wrong))
    assert any(said in str(one) and str(bench.parent) in str(one.where) for one in mistakes(bench))


def test_a_lane_that_cannot_be_imported_is_named(bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_lanes").mkdir()
    (tmp_path / "my_lanes" / "broken.py").write_text("import nothing_of_this_name\n")
    monkeypatch.setattr("sys.path", [str(tmp_path), *sys.path])
    change(bench, ('module = "twin.ecm"', 'module = "my_lanes.broken"'))
    (one,) = mistakes(bench)
    assert "cannot be imported: No module named 'nothing_of_this_name'" in str(one)


def test_a_file_that_is_not_toml_is_one_mistake(bench: Path) -> None:
    change(bench, ("soc0 = 0.62", "soc0 = 0,62"))
    (one,) = mistakes(bench)
    assert "a decimal comma in 0,62" in str(one)


WITH_POLICY = (
    'module = "control.mpc"\nsettings = { file = "duty.csv"',
    'module = "control.rl"\nsettings = { policy = "mine.onnx", file = "duty.csv"',
)


def test_the_policy_of_a_lane_is_found_and_read(bench: Path) -> None:
    change(bench, WITH_POLICY)
    (missing,) = mistakes(bench)
    assert str(missing.key).endswith("settings.policy")
    (bench.parent / "mine.onnx").write_bytes(b"no graph")
    (damaged,) = mistakes(bench)
    assert "is not a policy" in damaged.sentence
    (bench.parent / "mine.onnx").write_bytes(make_duty_policy())
    checked = read_checked_bench(bench)
    lane = next(lane for lane in checked.bench.lane if lane.module == "control.rl")
    assert lane.settings["policy"] == str(bench.parent / "mine.onnx")


def test_a_copied_bench_takes_the_policy_along(bench: Path, tmp_path: Path) -> None:
    (bench.parent / "mine.onnx").write_bytes(make_duty_policy())
    change(bench, WITH_POLICY)
    copy_bench(bench, tmp_path / "mine")
    assert (tmp_path / "mine" / "mine.onnx").read_bytes() == (bench.parent / "mine.onnx").read_bytes()
    assert "mine.onnx" in list_names(read_bench(bench), Document.read(read_bench(bench).dut_map))
