"""The README's block of commands: every line is one that the command line accepts, and all may run twice."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.docs.markdown import ROOT, blocks
from workbench.cli import app

README = ROOT / "README.md"
LINES = next(block.text for block in blocks(README) if "bundle build" in block.text).splitlines()
VERBS = [line[line.index("main.py") :] for line in LINES if "main.py" in line]


def split(line: str) -> list[str]:
    """The words of a line, without its comment and what a shell does with it."""
    return [word for word in shlex.split(line, comments=True)[1:] if word != "&"]


def parse(words: list[str]) -> dict[str, Any]:
    """The options of the verb, as the command line takes them; raises a usage error."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("main.py", list(words))
    while hasattr(command, "commands") and (more := [*context._protected_args, *context.args]):
        name, command, rest = command.resolve_command(context, more)
        context = command.make_context(name, rest, parent=context)
    return context.params


@pytest.mark.parametrize("line", VERBS)
def test_the_command_line_accepts_each_line(line: str) -> None:
    assert parse(split(line))


def test_each_line_uses_what_the_lines_before_it_made() -> None:
    given = [parse(split(line)) for line in VERBS]
    copy, run, certify, key, build, verify, _, edge, _ = given
    bench = Path(copy["folder"]) / Path(copy["file"]).name
    assert (ROOT / copy["file"]).is_file()
    assert {params["bench"] for params in (run, certify, build)} == {bench}
    assert (build["run_folder"], build["certificate"]) == (run["out"], certify["out"])
    assert build["private"] == key["out"] / f"{key['name']}.key"
    assert (verify["file"], edge["bundle"]) == (build["out"], build["out"])
    assert verify["trust"] == edge["trust"]
    assert f"mkdir -p {edge['trust']} && cp {build['private'].with_suffix('.pem')} {edge['trust']}/" in "\n".join(LINES)


def shell(lines: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the lines as a person pastes them, but stop at the first that fails."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for name in ("main.py", "fixtures"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    command = [shutil.which("bash") or "bash", "-c", "\n".join(["set -e", *lines])]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.skipif(os.name != "posix", reason="the block is for a POSIX shell")
def test_the_lines_without_a_bench_run_twice(tmp_path: Path) -> None:
    quick = [line for line in LINES if not any(f"main.py {verb}" in line for verb in SLOW)]
    assert len(quick) == 5
    for _ in range(2):
        done = shell(quick, tmp_path)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "trust" / "me.pem").read_bytes() == (tmp_path / "keys" / "me.pem").read_bytes()


SLOW = ("run", "certify", "bundle build", "bundle verify", "fleet", "edge", "selftest")


@pytest.mark.soak
@pytest.mark.timeout(3600.0)
def test_the_whole_block_runs_twice_word_for_word(tmp_path: Path) -> None:
    for _ in range(2):
        done = shell(LINES, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
