"""The fixture that fails a test for what it leaves behind, tried on tests that leave each kind of thing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from drivers.realtime import ask_realtime, leave_realtime
from drivers.ring_files import PREFIX, memory_folder
from tests import leaks

ROOT = Path(__file__).resolve().parents[2]
LINUX = pytest.mark.skipif(not Path("/proc").is_dir(), reason="only /proc tells of it")

SHORT = """
from tests import leaks

pytest_plugins = ("tests.leaks",)
leaks.GONE_S = 0.5
"""

LEAVING = """
import socket, subprocess, sys, threading, time
from drivers.ring_files import fresh_path

KEPT = []

def test_thread():
    threading.Thread(target=time.sleep, args=(60.0,), daemon=True, name="the thread that stays").start()

def test_process():
    KEPT.append(subprocess.Popen([sys.executable, "-c", "input('the process that stays')"], stdin=subprocess.PIPE))

def test_grandchild_without_its_parent():
    body = "import subprocess as s, sys; s.Popen([sys.executable, '-c', 'import time; time.sleep(8) # the orphan'])"
    subprocess.run([sys.executable, "-c", body], check=True)

def test_listening_socket():
    KEPT.append(socket.create_server(("127.0.0.1", 0)))

def test_pair_of_sockets():
    KEPT.append(socket.socketpair())

def test_ring_file():
    fresh_path().touch()

def test_nothing():
    threading.Thread(target=time.sleep, args=(0.1,), daemon=True, name="the thread that ends by itself").start()

def test_that_fails():
    KEPT.append(socket.socketpair())
    raise AssertionError("its own fault")
"""

SHARING = """
import socket
import pytest

KEPT = []

@pytest.fixture(scope="module")
def server():
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made

@pytest.fixture(scope="module")
def lender():
    KEPT.append(socket.create_server(("127.0.0.1", 0)))

@pytest.fixture(scope="session")
def pool():
    KEPT.append(socket.create_server(("127.0.0.1", 0)))

def test_uses_what_a_wider_fixture_made(server, request):
    request.getfixturevalue("pool")

def test_uses_a_wider_fixture_that_leaves_something(lender):
    pass
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the report of those tests says of each."""
    folder = tmp_path_factory.mktemp("leaving")
    (folder / "conftest.py").write_text(SHORT)
    (folder / "test_leaving.py").write_text(LEAVING)
    (folder / "test_sharing.py").write_text(SHARING)
    (folder / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT}\n")
    command = [sys.executable, "-m", "pytest", "-rN", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # Qt and others take seconds to load
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60.0
    )
    parts = re.split(r"_{3,} (ERROR at teardown of )?(\w+) _{3,}\n", run.stdout)
    return {
        f"{name} {'left' if error else 'fails'}": text
        for error, name, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    }


@LINUX
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("test_thread", "thread <Thread(the thread that stays, started daemon"),
        ("test_process", "the process that stays"),
        ("test_grandchild_without_its_parent", "# the orphan"),
        ("test_listening_socket", "LISTEN"),
        ("test_pair_of_sockets", "socket"),
        ("test_ring_file", PREFIX),
    ],
)
def test_a_test_fails_for_what_it_leaves(said: dict[str, str], name: str, words: str) -> None:
    assert "left behind 0.5 s after the function's end" in said[f"{name} left"]
    assert words in said[f"{name} left"]


@LINUX
def test_what_ends_by_itself_or_belongs_to_a_wider_fixture_fails_nothing(said: dict[str, str]) -> None:
    assert "test_nothing left" not in said
    assert "test_uses_what_a_wider_fixture_made left" not in said
    assert {"test_that_fails fails"} == {name for name in said if name.endswith("fails")}
    assert "test_that_fails left" not in said, "it has said what is wrong"


@LINUX
def test_the_module_fails_for_what_its_fixture_leaves(said: dict[str, str]) -> None:
    words = said["test_uses_a_wider_fixture_that_leaves_something left"]
    assert "left behind 0.5 s after the module's end" in words
    assert words.count("LISTEN") == 1, "what the session's fixture made stays until the session ends"


@pytest.mark.skipif(not hasattr(os, "sched_setscheduler"), reason=f"{sys.platform} has no SCHED_FIFO")
def test_a_thread_that_stays_in_real_time_counts() -> None:
    watch = leaks.Watch()
    if words := ask_realtime(10):
        pytest.skip(words)
    try:
        assert watch.left() == {("policy", threading.get_native_id())}
        assert leaks.in_words(next(iter(watch.left()))).endswith("under real-time policy 1")
    finally:
        leave_realtime()
    assert watch.left() == set()


def test_threads_and_ring_files_count_on_every_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(leaks, "_PROC", tmp_path / "there is no such folder")
    watch, end = leaks.Watch(), threading.Event()
    thread = threading.Thread(target=end.wait, daemon=True)
    thread.start()
    ring = memory_folder() / f"{PREFIX}left"
    ring.touch()
    assert watch.left() == {("thread", thread), ("ring file", ring)}
    ring.unlink()
    end.set()
    assert watch.left_after(1.0) == set()


@pytest.mark.timed
@LINUX
def test_a_test_that_leaves_nothing_pays_a_millisecond_or_so() -> None:
    took_s: list[float] = []
    for _ in range(20):
        began_s = time.perf_counter()
        leaks.Watch().left_after(1.0)
        took_s.append(time.perf_counter() - began_s)
    assert min(took_s) < 0.02


def test_each_exception_has_its_reason() -> None:
    assert all(reason for reason in (*leaks.LIBRARY_THREADS.values(), *leaks.LIBRARY_PROCESSES.values()))
    assert len(leaks.LIBRARY_THREADS) + len(leaks.LIBRARY_PROCESSES) < 8


@LINUX
def test_the_folder_of_rings_is_this_processs_own() -> None:
    assert memory_folder().name == f"pulsebms-tests-{os.getpid()}"
    assert shutil.disk_usage(memory_folder()).total > 0
