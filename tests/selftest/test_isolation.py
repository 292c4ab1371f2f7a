"""Two selftests at once, and one on a machine that has nothing but a loopback interface."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.machine import QUICK_S, Speed
from tests.selftest.walk import not_judged
from workbench.selftest.steps import STEPS

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK_UP = """
import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
    fcntl.ioctl(wire, 0x8914, struct.pack("16sh14x", b"lo", 0x49))  # SIOCSIFFLAGS: up, loopback, running
assert [name for _, name in socket.if_nameindex()] == ["lo"]
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def begin(out: Path, *, steps: str = "", before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    command = [*before, "main.py", "selftest", "--json", "--out", str(out), "--only", steps]
    return subprocess.Popen(
        [sys.executable, *command] if not before else command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answer(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any], str]:
    stdout, told = process.communicate(timeout=400)
    return process.returncode, json.loads(stdout), told


SHARING = (
    "connect",
    "arm",
    "run",
    "limit",
    "certify",
    "bundle",
    "edge",
    "fleet",
)  # what two could take from each other
WHOLE = tuple(step.name for step in STEPS)


@pytest.mark.alone
@pytest.mark.whole_bench
@pytest.mark.timeout(420)
@pytest.mark.parametrize("steps", [SHARING, pytest.param(WHOLE, marks=pytest.mark.soak)], ids=["sharing", "whole"])
def test_two_selftests_at_once_do_not_disturb_each_other(tmp_path: Path, steps: tuple[str, ...]) -> None:
    with Speed() as cores:
        both = [begin(tmp_path, steps=",".join(steps)) for _ in range(2)]
        told = [answer(process) for process in both]
    failed = sorted({step["name"] for _, said, _ in told for step in said["steps"] if step["ok"] is False})
    if failed and cores.python_s > QUICK_S:
        pytest.skip(f"{', '.join(failed)}: cores too slow for two benches at once, {cores.python_s:.2f} of {QUICK_S} s")
    assert [status for status, _, _ in told] == [0, 0], "\n".join(lines for _, _, lines in told)
    assert [[step["name"] for step in said["steps"]] for _, said, _ in told] == [list(steps)] * 2
    assert len({said["files"]["run"] for _, said, _ in told}) == 2
    assert all(Path(said["files"][name]).is_file() for _, said, _ in told for name in ("report", "bundle"))
    if unjudged := [reason for _, said, _ in told for reason in not_judged(said)]:
        pytest.skip(f"all else holds, not judged: {'; '.join(unjudged)}")


def may_unshare() -> bool:
    """Whether a network namespace may be made here (root, or user namespaces)."""
    unshare = shutil.which("unshare")
    return (
        unshare is not None
        and subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.timed
@pytest.mark.whole_bench
@pytest.mark.skipif(not may_unshare(), reason="nobody may make a network namespace here")
def test_the_bench_works_where_only_a_loopback_interface_exists(tmp_path: Path) -> None:
    alone = ("unshare", "-rn", sys.executable, "-c", LOOPBACK_UP)
    status, said, told = answer(begin(tmp_path, steps="connect,arm,fault,limit", before=alone))
    assert status == 0, told
    assert [step["ok"] for step in said["steps"]] == [True] * 4
