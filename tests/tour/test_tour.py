"""The tour as a script meets it: clean, and with one thing broken on purpose."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIVE = [
    "connect",
    "arm",
    "run",
    "fault",
    "limit",
    "outputs_off",
    "engine_killed",
    "reopen",
    "window_killed",
    "pictures",
]
NOT_BUILT = ["certify", "bundle", "edge", "fleet"]
SABOTAGES = [  # the last of the steps must notice, the ones before must not
    ("mute-supply", ["connect"]),
    ("swap-cells", ["connect", "arm"]),
    ("drop-tick", ["connect", "arm", "run"]),
    ("bms-threshold", ["connect", "arm", "fault"]),
    ("kill-guard", ["connect", "arm", "limit"]),
]


def tour(out: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    command = [sys.executable, "main.py", "tour", "--json", "--out", str(out), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=115)
    return done.returncode, json.loads(done.stdout), done.stderr


@pytest.mark.alone
def test_the_live_steps_hold_and_the_places_of_the_next_issue_say_not_built(tmp_path: Path) -> None:
    status, answer, told = tour(tmp_path)
    failed = [step for step in answer["steps"] if not step["ok"] and step["name"] in LIVE]
    assert not failed, told
    assert [step["name"] for step in answer["steps"]] == LIVE + NOT_BUILT
    assert {step["value"] for step in answer["steps"] if step["name"] in NOT_BUILT} == {"NOT BUILT"}
    assert status == 1
    assert answer["ok"] is False


@pytest.mark.live
@pytest.mark.parametrize(("name", "steps"), SABOTAGES)
def test_a_sabotaged_tour_fails_at_the_step_that_should_notice(tmp_path: Path, name: str, steps: list[str]) -> None:
    status, answer, told = tour(tmp_path, "--only", ",".join(steps), "--sabotage", name)
    assert status == 1, told
    assert [step["name"] for step in answer["steps"] if not step["ok"]] == steps[-1:]


@pytest.mark.live
def test_a_tour_does_not_walk_on_without_a_bench(tmp_path: Path) -> None:
    status, answer, told = tour(tmp_path, "--sabotage", "mute-supply")
    assert status == 1
    assert answer["duration_s"] < 30.0, told
    assert {step["value"] for step in answer["steps"][1:]} == {"not walked", "NOT BUILT"}


@pytest.mark.alone
def test_a_guard_that_beats_but_does_not_send_fails_all_four_reaction_times(tmp_path: Path) -> None:
    four = ["limit", "outputs_off", "engine_killed", "window_killed"]
    status, answer, told = tour(tmp_path, "--only", ",".join(four), "--sabotage", "mute-guard")
    assert status == 1, told
    assert {step["name"]: step["ok"] for step in answer["steps"]} == dict.fromkeys(four, False)
    assert not any("guard's connection:" in step["evidence"] for step in answer["steps"]), "the bench could be armed"
