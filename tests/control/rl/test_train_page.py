"""The guide on training: its short commands run as they stand, and a Ctrl-C leaves a training that continues."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from control.rl.policy import Policy
from tests.docs.markdown import ROOT, blocks

if TYPE_CHECKING:
    from pathlib import Path

PAGE = ROOT / "docs" / "train-a-policy.md"
COMMANDS = [block.text.strip() for block in blocks(PAGE) if block.language == "sh"]
CURVES = [f"trained/seed_{seed}/curve.csv" for seed in range(2)]


def begin(command: str, folder: Path) -> subprocess.Popen[str]:
    python, script, *words = shlex.split(command)
    assert (python, script) == ("python", "main.py")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, str(ROOT / script), *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(command: str, folder: Path) -> tuple[int, str, str]:
    with begin(command, folder) as process:
        out, err = process.communicate(timeout=110.0)
    return process.returncode, out, err


def test_the_page_has_a_training_and_its_continuation() -> None:
    assert [("--resume" in command) for command in COMMANDS] == [False, True]
    assert all(shlex.split(command)[2] == "train" for command in COMMANDS)


@pytest.mark.slow
def test_the_commands_of_the_page_train_stop_and_continue(tmp_path: Path) -> None:
    status, out, err = run(COMMANDS[0], tmp_path)
    assert status == 0, err
    assert "interventions" in out
    first = [(tmp_path / name).read_text() for name in CURVES]
    status, out, err = run(COMMANDS[1] + " --json", tmp_path)
    assert status == 0, err
    result = json.loads(out)
    assert [seed["seed"] for seed in result["seeds"]] == [0, 1]
    for name, before in zip(CURVES, first, strict=True):
        after = (tmp_path / name).read_text()
        assert after.startswith(before)
        assert len(after) > len(before)
    summary = json.loads((tmp_path / "trained" / "summary.json").read_text())
    assert summary["schema"] == "pulsebms.training/1"
    policy = Policy.load(tmp_path / "trained" / "seed_1" / "policy.onnx")
    assert policy.sha256 == summary["seeds"][1]["policy_sha256"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a Ctrl-C cannot be sent to one process there")
def test_ctrl_c_saves_and_tells_how_to_continue(tmp_path: Path) -> None:
    command = "python main.py train arbitrage --algorithm cpo --seeds 1 --every 6000 --out t"
    with begin(command, tmp_path) as process:
        assert process.stdout is not None
        assert "seed 0" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60.0)
    assert process.returncode == 130
    assert f"continue with: {command} --resume" in err
    rows = (tmp_path / "t" / "seed_0" / "curve.csv").read_text()
    steps = int(rows.splitlines()[-1].partition(",")[0])
    status, _, err = run(f"{command} --resume --steps {steps + 6000}", tmp_path)
    assert status == 0, err
    assert (tmp_path / "t" / "seed_0" / "curve.csv").read_text().startswith(rows)


def test_mistakes_are_refused_in_one_sentence(tmp_path: Path) -> None:
    status, _, err = run("python main.py train arbitrag --out t", tmp_path)
    assert status == 2
    assert "did you mean arbitrage" in err
    status, _, err = run("python main.py train arbitrage --algorithm ppo --out t", tmp_path)
    assert status == 2
    assert "one of: sac, cpo" in err
