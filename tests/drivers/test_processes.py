from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from drivers import processes
from drivers.processes import BACKGROUND, birth_s, is_alive, put_behind
from tests.waiting import wait_until

ROOT: Final = Path(__file__).resolve().parents[2]


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


PARENT: Final = """
import multiprocessing, os, signal, sys, time

from drivers.processes import end_with_parent


def work(told):
    end_with_parent()
    told.send(os.getpid())
    while True:
        sum(range(1000))


if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    spawn.Process(target=work, args=(theirs,), daemon=True).start()
    print(ours.recv(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the parent ends itself by SIGKILL")
def test_a_child_that_computes_ends_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(PARENT, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "parent.py"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL
    wait_until(lambda: not is_alive(int(done.stdout)), what="the child's end")


CHILD: Final = """
import multiprocessing, os, signal, sys

if __name__ != "__main__":  # the first line that a child runs
    signal.raise_signal(signal.SIGINT)

from drivers.processes import start_child


def work():
    pass


if __name__ == "__main__":
    child = multiprocessing.get_context("spawn").Process(target=work)
    start_child(child)
    child.join()
    signal.raise_signal(signal.SIGINT) if sys.argv[1:] else sys.exit(child.exitcode)
"""


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="no signal masks here")
def test_a_ctrl_c_reaches_no_child_that_starts_and_its_parent_as_before(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(CHILD, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "parent.py", *words]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert (run().returncode, run().stderr) == (0, "")
    assert run("interrupt").returncode == -signal.SIGINT


GIVES_WAY = """
import os
from drivers.processes import give_way
for _ in range(2):
    give_way()
print(os.getsid(0) == os.getpid(), os.getpriority(os.PRIO_PROCESS, 0))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has priority classes instead")
def test_a_process_that_gives_way_has_a_session_of_its_own_and_low_priority() -> None:
    done = subprocess.run([sys.executable, "-c", GIVES_WAY], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.stdout.split(), done.stderr) == (["True", str(BACKGROUND)], "")


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this system does not group by session")
def test_a_process_that_is_put_behind_gives_way_with_its_whole_session() -> None:
    with subprocess.Popen([sys.executable], stdin=subprocess.PIPE, start_new_session=True) as process:
        put_behind(process.pid)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == BACKGROUND
        assert Path(f"/proc/{process.pid}/autogroup").read_text().split()[-1] == str(BACKGROUND)
        process.kill()
    put_behind(process.pid)  # which has ended
