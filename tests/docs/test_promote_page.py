"""The guide on promotion: its short commands run as they stand, on a policy made by hand."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest

from control.tasks.task import find_task, read_task
from tests.control.rl.handmade import make_policy
from tests.control.tasks.small import write_rules
from tests.docs.markdown import ROOT, blocks
from tests.workbench.own_cli import run_here

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

PAGE = ROOT / "docs" / "promote-or-refuse.md"
COMMANDS = [block.text.strip() for block in blocks(PAGE) if block.language == "sh"]


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    python, script, *words = shlex.split(command)
    assert (python, script) == ("python", "main.py")
    return run_here(*words, folder=folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("promote")
    (folder / "policy.onnx").write_bytes(make_policy(read_task(find_task("arbitrage"))))
    write_rules(folder, **{"margin = 1.0": "margin = 1000.0"}).rename(folder / "my_rules.toml")
    return folder


def test_the_page_has_a_command_of_each_verb() -> None:
    assert [shlex.split(command)[2] for command in COMMANDS] == ["shadow", "promote"]


def test_the_comparison_says_what_is_counterfactual(folder: Path) -> None:
    done = run(COMMANDS[0], folder)
    assert done.returncode == 0, done.stderr
    assert "rule (acts)" in done.stdout
    assert "closed loop, counterfactual, on a twin of its own" in done.stdout
    assert "open loop, counterfactual, on the states of rule" in done.stdout
    assert "day 2 of 2" in done.stderr


@pytest.mark.long
def test_the_short_judgement_prints_every_gate_and_never_promotes(folder: Path) -> None:
    done = run(COMMANDS[1], folder)
    assert done.returncode == 1, done.stderr
    assert "not judged: the judgement was shortened" in done.stdout, done.stdout
    result = json.loads((folder / "judged" / "promotion.json").read_text())
    assert result["verdict"] == "not judged"
    names = [gate["name"] for gate in result["gates"]]
    assert all(f"pass  {name}" in done.stdout for name in names)
    text = PAGE.read_text(encoding="utf-8")
    assert all(name.replace("rule", "mpc") in text for name in names if name != "monitors")


def test_json_is_all_that_stands_on_stdout_and_bad_input_has_its_own_status(folder: Path) -> None:
    refused = run("python main.py promote my_rules.toml --out judged --json", folder)
    assert refused.returncode == 2
    assert "is not a policy" in json.loads(refused.stdout)["error"]["what"]
    unknown = run("python main.py shadow --candidate policy.onnx --active nobody", folder)
    assert unknown.returncode == 2
    assert "there is no controller 'nobody'" in unknown.stderr
