"""The guide on training: its short commands run as they stand, and a Ctrl-C leaves a training that continues."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, TypeAlias

import pytest

from control.rl.policy import Policy
from tests.control.rl.inline import InlinePool
from tests.docs.markdown import ROOT, blocks
from tests.workbench.own_cli import run_here
from workbench.verbs import train

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from subprocess import CompletedProcess

    Run: TypeAlias = Callable[[str], CompletedProcess[str]]

PAGE = ROOT / "docs" / "train-a-policy.md"
COMMANDS = [block.text.strip() for block in blocks(PAGE) if block.language == "sh"]
CURVES = [f"trained/seed_{seed}/curve.csv" for seed in range(2)]


def read_words(command: str) -> list[str]:
    python, script, *words = shlex.split(command)
    assert (python, script) == ("python", "main.py")
    return words


def begin(command: str, folder: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), *read_words(command)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in `tmp_path`, its seeds in this process; Ctrl-C is judged on processes."""

    def make_pool(_ray: str, _seeds: int) -> InlinePool:  # a process of its own imports torch for 10 s
        return InlinePool()

    monkeypatch.setattr(train, "_make_pool", make_pool)
    return lambda command: run_here(*read_words(command), folder=tmp_path)


def test_the_page_has_a_training_and_its_continuation() -> None:
    assert [("--resume" in command) for command in COMMANDS] == [False, True]
    assert all(shlex.split(command)[2] == "train" for command in COMMANDS)


@pytest.mark.long
def test_the_commands_of_the_page_train_stop_and_continue(tmp_path: Path, run: Run) -> None:
    done = run(COMMANDS[0])
    assert done.returncode == 0, done.stderr
    assert "interventions" in done.stdout
    first = [(tmp_path / name).read_text() for name in CURVES]
    done = run(COMMANDS[1] + " --json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert [seed["seed"] for seed in result["seeds"]] == [0, 1]
    for name, before in zip(CURVES, first, strict=True):
        after = (tmp_path / name).read_text()
        assert after.startswith(before)
        assert len(after) > len(before)
    summary = json.loads((tmp_path / "trained" / "summary.json").read_text())
    assert summary["schema"] == "pulsebms.training/1"
    policy = Policy.load(tmp_path / "trained" / "seed_1" / "policy.onnx")
    assert policy.sha256 == summary["seeds"][1]["policy_sha256"]


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="a Ctrl-C cannot be sent to one process there")
def test_ctrl_c_saves_and_tells_how_to_continue(tmp_path: Path, run: Run) -> None:
    command = "python main.py train arbitrage --algorithm cpo --seeds 2 --every 6000 --out trained"
    with begin(command, tmp_path) as process:
        assert process.stdout is not None
        assert "seed " in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60.0)
    assert process.returncode == 130
    assert f"continue with: {command} --resume" in err
    rows = [(tmp_path / name).read_text() for name in CURVES]
    steps = max(int(text.splitlines()[-1].partition(",")[0]) for text in rows)
    done = run(f"{command} --resume --steps {steps + 6000}")
    assert done.returncode == 0, done.stderr
    for name, before in zip(CURVES, rows, strict=True):
        after = (tmp_path / name).read_text()
        assert after.startswith(before)
        assert len(after) > len(before)


def test_mistakes_are_refused_in_one_sentence(run: Run) -> None:
    done = run("python main.py train arbitrag --out t")
    assert done.returncode == 2
    assert "did you mean arbitrage" in done.stderr
    done = run("python main.py train arbitrage --algorithm ppo --out t")
    assert done.returncode == 2
    assert "one of: sac, cpo" in done.stderr
