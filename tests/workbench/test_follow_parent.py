"""A verb of our own ends in order when the process that started it has gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
CHILD = (
    "import signal, sys, threading; from workbench.follow_parent import follow_parent; from workbench.signals import *;"
    "stop = threading.Event(); leave_once(stop.set); follow_parent(); print('up', flush=True);"
    "ended = stop.wait(60.0); open(sys.argv[1], 'w').write('in order' if ended else 'late')"
)
PARENT = (
    "import subprocess, sys;"
    "child = subprocess.Popen([sys.executable, '-c', sys.argv[1], sys.argv[2]], stdin=subprocess.PIPE);"
    "print(child.pid, flush=True); child.wait()"
)


@pytest.mark.skipif(os.name == "nt", reason="a SIGTERM of Windows ends a process at once")
def test_a_child_of_a_killed_process_ends_in_order(tmp_path: Path) -> None:
    words = [sys.executable, "-c", PARENT, CHILD, str(tmp_path / "end")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert parent.stdout.readline() == "up\n"
        parent.send_signal(signal.SIGKILL)
        wait_until(lambda: (tmp_path / "end").exists() and (tmp_path / "end").read_text(), what="the end of the child")
        assert (tmp_path / "end").read_text() == "in order"
        wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, what="its exit")


@pytest.mark.parametrize("stdin", [subprocess.DEVNULL, None])
def test_a_process_whose_stdin_is_no_pipe_goes_on(stdin: int | None, tmp_path: Path) -> None:
    words = (
        "import threading; from workbench.follow_parent import follow_parent; follow_parent();"
        "print([thread.name for thread in threading.enumerate()])"
    )
    with (tmp_path / "empty").open("w+b") as empty:
        given = empty if stdin is None else stdin
        ended = subprocess.run([sys.executable, "-c", words], stdin=given, capture_output=True, cwd=ROOT, check=True)
    assert ended.stdout == b"['MainThread']\n"
