"""`bench copy`: the copy is a whole bench, and nothing is overwritten."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.benchfile import read_bench
from drivers.benchfile.cell_defaults import make_thresholds
from drivers.benchfile.copy import copy_bench
from drivers.benchfile.device_sheet import read_sheet
from drivers.canbus.dut_map import read_dut_map
from drivers.errors import BenchFileError, Usage

ROOT = Path(__file__).resolve().parents[2]
BENCHES = ROOT / "fixtures" / "benches"


@pytest.mark.parametrize("name", ["hil24.toml", "lfp16.toml", "foreign24.toml"])
def test_a_copy_is_a_whole_bench_in_one_folder(name: str, tmp_path: Path) -> None:
    first, *others = copy_bench(BENCHES / name, tmp_path / "mine")
    assert first == tmp_path / "mine" / name
    original, copy = read_bench(BENCHES / name), read_bench(first)
    assert {path.parent for path in (first, *others)} == {tmp_path / "mine"}
    assert copy.dut_map.parent == first.parent
    assert read_dut_map(copy.dut_map).dbc_hash == read_dut_map(original.dut_map).dbc_hash
    assert copy.device_limits is not None
    assert original.device_limits is not None
    there = first.parent / copy.device_limits.thresholds
    assert there.parent == first.parent
    silent = make_thresholds(copy.cell, copy.pack.element_ah)
    assert read_sheet(there, silent) == read_sheet(BENCHES / original.device_limits.thresholds, silent)
    files = [Path(lane.settings["file"]) for lane in copy.lane if "file" in lane.settings]
    assert files
    assert all(file.parent == first.parent for file in files)


def test_only_the_paths_change(tmp_path: Path) -> None:
    first, *_ = copy_bench(BENCHES / "hil24.toml", tmp_path)
    before = (BENCHES / "hil24.toml").read_text(encoding="utf-8")
    assert first.read_text(encoding="utf-8") == before.replace('"../bms/thresholds.toml"', '"thresholds.toml"')


def test_two_files_of_one_name_both_come_along(tmp_path: Path) -> None:
    (first, *_) = copy_bench(BENCHES / "hil24.toml", tmp_path / "one")
    (tmp_path / "one" / "other").mkdir()
    (tmp_path / "one" / "other" / "duty.csv").write_text("t_s,current_a\n0,1\n1,1\n", encoding="utf-8")
    text = first.read_text(encoding="utf-8")
    changed = text.replace('settings = { file = "duty.csv" }', "settings = { file = 'other/duty.csv' }", 1)
    assert changed != text
    first.write_text(changed, encoding="utf-8")
    second, *_ = copy_bench(first, tmp_path / "two")
    files = {lane.name: Path(lane.settings["file"]) for lane in read_bench(second).lane if "file" in lane.settings}
    assert files["Profile"].read_text(encoding="utf-8").splitlines()[1] == "0,1"
    assert files["MPC"].read_bytes() == (BENCHES / "duty.csv").read_bytes()


@pytest.mark.parametrize("name", ["hil24.toml", "pulse24.dbc", "duty.csv"])
def test_a_file_that_is_there_is_kept_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine", encoding="utf-8")
    with pytest.raises(Usage, match="exists already"):
        copy_bench(BENCHES / "hil24.toml", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text(encoding="utf-8") == "mine"


def test_a_path_that_cannot_be_changed_is_refused_with_its_line(tmp_path: Path) -> None:
    text = (BENCHES / "hil24.toml").read_text(encoding="utf-8")
    (tmp_path / "bms").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "bms" / "thresholds.toml").write_bytes((BENCHES.parent / "bms" / "thresholds.toml").read_bytes())
    for name in ("pulse24.dut.toml", "pulse24.dbc", "duty.csv"):
        (tmp_path / "here" / name).write_bytes((BENCHES / name).read_bytes())
    bench = tmp_path / "here" / "hil24.toml"
    bench.write_text(text.replace('"../bms/thresholds.toml"', r'"../bms/thres\u0068olds.toml"'), encoding="utf-8")
    with pytest.raises(BenchFileError, match="thresholds") as caught:
        copy_bench(bench, tmp_path / "copy")
    assert caught.value.line == next(n for n, line in enumerate(text.splitlines(), 1) if line.startswith("thresholds"))
    assert not (tmp_path / "copy").exists()


def test_the_verb_names_the_files_and_refuses_a_second_time(tmp_path: Path) -> None:
    command = [sys.executable, "main.py", "bench", "copy", str(BENCHES / "hil24.toml"), str(tmp_path), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["bench"] == str(tmp_path / "hil24.toml")
    assert sorted(answer["files"]) == sorted(str(path) for path in tmp_path.iterdir())
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert json.loads(again.stdout)["error"]["code"] == "usage"


@pytest.mark.whole_bench
def test_a_copy_can_be_connected_armed_and_run(tmp_path: Path) -> None:
    first, *_ = copy_bench(BENCHES / "hil24.toml", tmp_path / "mine")
    command = [sys.executable, "main.py", "run", "--json", "--duration", "1", "--bench", str(first)]
    done = subprocess.run(
        [*command, "--out", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=110.0
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ticks"] > 0
