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
    for word in ("window", "doctor", "run", "replay", "export", "tour", "Exit status"):
        assert word in done.stdout


def test_an_unknown_verb_is_a_usage_error() -> None:
    done = pulse("frobnicate")
    assert done.returncode == 2
    assert "frobnicate" in done.stderr


def test_a_mistake_in_the_bench_file_exits_2_with_file_line_key_value_and_bound(tmp_path: Path) -> None:
    benches = ROOT / "fixtures" / "benches"
    for path in benches.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    bench = tmp_path / "hil24.toml"
    text = bench.read_text().replace("bench = [0.50, 5.00]", "bench = [0.50, 4.10]")
    bench.write_text(text)
    line = text[: text.index("bench = [0.50, 4.10]")].count("\n") + 1
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
