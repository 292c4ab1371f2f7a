"""The command line as scripts meet it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def pulse(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "main.py", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_help_names_every_verb_and_the_exit_statuses() -> None:
    done = pulse("--help")
    assert done.returncode == 0
    for word in ("window", "doctor", "run", "replay", "export", "tour", "measure", "Exit status"):
        assert word in done.stdout


def test_an_unknown_verb_is_a_usage_error() -> None:
    done = pulse("frobnicate")
    assert done.returncode == 2
    assert "frobnicate" in done.stderr


def test_a_mistake_in_the_bench_file_exits_2_with_file_line_key_value_and_bound(tmp_path: Path) -> None:
    bench = copied_bench(tmp_path, "hil24.toml", "bench = [0.50, 5.00]", "bench = [0.50, 4.10]")
    line = bench.read_text().splitlines().index("bench = [0.50, 4.10]") + 1
    done = pulse("run", "--bench", str(bench), "--json", "--out", str(tmp_path / "runs"))
    assert done.returncode == 2
    answer = json.loads(done.stdout)
    assert answer["ok"] is False
    error = answer["error"]
    assert (error["line"], error["value"]) == (line, 4.1)
    assert error["bound"] is not None
    assert error["key"].startswith("limit")
    assert str(error["where"]).endswith("hil24.toml")
    assert done.stderr.startswith("error: ")


def test_an_unknown_sabotage_is_refused_with_the_names_that_exist() -> None:
    done = pulse("tour", "--sabotage", "gremlins")
    assert done.returncode == 2
    assert "mute-supply" in done.stderr


def test_an_unknown_step_is_refused_with_the_names_that_exist() -> None:
    done = pulse("tour", "--only", "teleport")
    assert done.returncode == 2
    assert "connect" in done.stderr


def copied_bench(folder: Path, name: str, before: str, after: str) -> Path:
    """The emulated bench's files with one mistake; the bench file's path."""
    for path in (ROOT / "fixtures" / "benches").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    text = (folder / name).read_text()
    assert before in text
    (folder / name).write_text(text.replace(before, after))
    return folder / "hil24.toml"


def test_a_mistake_in_the_device_map_exits_2_and_names_the_channel_that_is_missing(tmp_path: Path) -> None:
    bench = copied_bench(tmp_path, "pulse24.dut.toml", "bms/temperature_{n}", "bms/warmth_{n}")
    done = pulse("run", "--bench", str(bench), "--json", "--out", str(tmp_path / "runs"))
    assert done.returncode == 2, done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["where"] == "pulse24.dut.toml"
    assert error["value"] == "bms/temperature_1"


def test_a_mistake_in_a_lane_exits_2_with_its_line(tmp_path: Path) -> None:
    bench = copied_bench(tmp_path, "hil24.toml", 'module = "twin.ecm"', 'module = "twin.ectoplasm"')
    done = pulse("run", "--bench", str(bench), "--json", "--out", str(tmp_path / "runs"))
    assert done.returncode == 2, done.stderr
    error = json.loads(done.stdout)["error"]
    assert (tmp_path / "hil24.toml").read_text().splitlines()[error["line"] - 1] == 'module = "twin.ectoplasm"'


def test_words_that_make_no_command_are_an_object_too() -> None:
    done = pulse("run", "--duration", "soon", "--json")
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "usage"
    assert "duration" in error["what"]


def test_a_folder_that_cannot_be_written_exits_2(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    done = pulse("run", "--json", "--out", str(blocked))
    assert done.returncode == 2, done.stderr
    assert json.loads(done.stdout)["error"]["code"] == "run_log"


def test_the_window_takes_a_bench_file_with_and_without_its_verb() -> None:
    for arguments in (("--bench",), ("window", "--bench")):
        done = pulse(*arguments)
        assert done.returncode == 2
        assert "requires an argument" in done.stderr
