from __future__ import annotations

import os
import subprocess
import sys

import pytest

from drivers import processes
from drivers.processes import birth_s, is_alive


@pytest.fixture(params=["psutil", "without"], autouse=True)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without":
        monkeypatch.setattr(processes, "psutil", None)


def test_a_process_of_another_birth_is_another_one() -> None:
    assert not is_alive(os.getpid(), 3.0)


def test_this_process_works() -> None:
    assert is_alive(os.getpid())
    assert is_alive(os.getpid(), birth_s(os.getpid()))


def test_a_process_that_has_ended_and_was_not_waited_for_does_not_work() -> None:
    with subprocess.Popen([sys.executable, "-c", "print(1)"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(process.pid)
    assert not is_alive(process.pid)


@pytest.mark.parametrize("pid", [0, -1, 2**31 - 1])
def test_no_process_does_not_work(pid: int) -> None:
    assert not is_alive(pid)
