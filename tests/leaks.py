"""What a test leaves behind fails it: a thread, a process, a socket, a ring file, a real-time policy.

Linux tells the whole of it by `/proc`; elsewhere threads and ring files alone are looked at. What stood before the test
began, or belongs to a fixture of wider scope, does not count; a test that uses such a fixture of this suite's own with
a teardown is judged together with its module, when that fixture is gone. A test that failed is not judged: its
traceback holds what its frames held.
"""

from __future__ import annotations

import gc
import inspect
import os
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil
import pytest

from drivers.ring_files import MEMORY, PREFIX, memory_folder

if TYPE_CHECKING:
    from collections.abc import Generator

GONE_S = 2.0  # what ends by itself has so long to do so
_LOOK_S: Final = 0.005
_COLLECT_S: Final = 0.1  # then what only the collector frees is freed
_PROC: Final = Path("/proc")
_MARK: Final = "PULSEBMS_TESTS"  # in the environment of every process that these tests start, of their children too
_SCOPES: Final = ("function", "class", "module", "package", "session")

LIBRARY_THREADS: Final = {
    "Dummy-": "a thread of C++ that called Python once: Python 3.11 keeps its name for ever",
    "pytest_timeout": "the plugin's alarm clock, where it has no signal",
}
LIBRARY_PROCESSES: Final = {
    "multiprocessing.resource_tracker": "one for the whole session, started by the first child process",
}

Thing = tuple[str, Any]


class Watch:
    """What this process holds from now on."""

    def __init__(self, scope: str = "function") -> None:
        self.scope = scope
        self._before = _held()
        self._pids = _pids()

    def left(self) -> set[Thing]:
        """What is new since then and still there, as kind and key."""
        new = _held() - self._before
        return new | {("process", pid) for pid in _pids() - self._pids if _is_ours(pid)}

    def left_after(self, within_s: float) -> set[Thing]:
        """The same, once `within_s` have passed or nothing is left."""
        began_s, collected = time.monotonic(), False
        while left := self.left():
            waited_s = time.monotonic() - began_s
            if waited_s > within_s:
                return left
            if not collected and waited_s > _COLLECT_S:
                collected = gc.collect() >= 0
            time.sleep(_LOOK_S)
        return set()

    def end(self) -> None:
        """Kill the processes that are left, for a test of what cannot end by itself before long; remove their rings."""
        for kind, key in sorted(self.left(), key=lambda thing: thing[0]):  # the rings after the processes
            with suppress(psutil.NoSuchProcess, FileNotFoundError):
                if kind == "process":
                    psutil.Process(key).kill()
                elif kind == "ring file":
                    key.unlink()

    def grant(self, things: set[Thing]) -> None:
        """Let `things` stand: somebody with a wider scope made them."""
        self._before |= {thing for thing in things if thing[0] != "process"}
        self._pids |= {pid for kind, pid in things if kind == "process"}


def in_words(thing: Thing) -> str:
    """What a thing is, for who has to find where it was made."""
    kind, key = thing
    if kind == "process":
        return f"process {key}: {_command(key)}"
    if kind == "socket":
        return f"socket {_socket(key)}"
    if kind == "policy":
        return f"thread {key} under real-time policy {os.sched_getscheduler(key) & 0xFF}"
    return f"{kind} {key}"


_WATCHES: Final = pytest.StashKey[list[Watch]]()


def pytest_configure(config: pytest.Config) -> None:
    """Each process that runs tests has a mark and a folder for rings of its own."""
    config.stash[_WATCHES] = []
    os.environ[_MARK] = str(os.getpid())
    folder = memory_folder() / f"pulsebms-tests-{os.getpid()}"
    folder.mkdir(exist_ok=True)
    os.environ[MEMORY] = str(folder)


def pytest_unconfigure() -> None:
    """With the process goes its folder."""
    shutil.rmtree(os.environ.pop(MEMORY), ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """What a wider fixture makes is nothing that a test leaves."""
    if fixturedef.scope == "function" or fixturedef.argname.startswith("_leaves_nothing"):
        return (yield)
    made = Watch()
    try:
        return (yield)
    finally:
        things = made.left()
        for watch in request.config.stash[_WATCHES]:
            if _SCOPES.index(watch.scope) < _SCOPES.index(fixturedef.scope):
                watch.grant(things)


@pytest.fixture(autouse=True, scope="module")
def _leaves_nothing_in_its_module(request: pytest.FixtureRequest) -> Generator[None]:
    yield from _judged(request, Watch("module"))


@pytest.fixture(autouse=True)
def _leaves_nothing(_leaves_nothing_in_its_module: None, request: pytest.FixtureRequest) -> Generator[None]:
    if _shares_what_lives(request.node):
        yield
    else:
        yield from _judged(request, Watch("function"))


def _judged(request: pytest.FixtureRequest, watch: Watch) -> Generator[None]:
    watches, failed = request.config.stash[_WATCHES], request.session.testsfailed
    watches.append(watch)
    yield
    left = watch.left_after(GONE_S)
    watches.remove(watch)
    if left and request.session.testsfailed == failed:
        words = "\n  ".join(sorted(map(in_words, left)))
        pytest.fail(f"left behind {GONE_S:g} s after the {watch.scope}'s end:\n  {words}", pytrace=False)


def _shares_what_lives(item: pytest.Item) -> bool:
    """Whether a wider fixture of these tests has a teardown: what it owns may change with every test."""
    fixtures = getattr(item, "_fixtureinfo").name2fixturedefs  # noqa: B009  # pytest has no public word for it
    return any(
        definition.scope != "function"
        and inspect.isgeneratorfunction(definition.func)
        and definition.func.__module__.startswith("tests.")
        and not name.startswith("_leaves_nothing")
        for name, definitions in fixtures.items()
        for definition in definitions
    )


def _held() -> set[Thing]:
    threads = {("thread", thread) for thread in threading.enumerate() if not thread.name.startswith(_LIBRARIES)}
    rings = {("ring file", path) for path in memory_folder().glob(f"{PREFIX}*")}
    return threads | rings | _sockets() | _policies()


_LIBRARIES: Final = tuple(LIBRARY_THREADS)


def _sockets() -> set[Thing]:
    found = set[Thing]()
    if _PROC.is_dir():
        for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  # a hundred times a second
            try:
                target = os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115  # as above
            except OSError:  # the one that lists
                continue
            if target.startswith("socket:"):
                found.add(("socket", target))
    return found


def _policies() -> set[Thing]:
    found = set[Thing]()
    if _PROC.is_dir():
        for name in os.listdir("/proc/self/task"):  # noqa: PTH208  # as above
            try:
                policy = os.sched_getscheduler(int(name)) & ~os.SCHED_RESET_ON_FORK
            except OSError:  # it ended meanwhile
                continue
            if policy in (os.SCHED_FIFO, os.SCHED_RR):
                found.add(("policy", int(name)))
    return found


def _pids() -> set[int]:
    return {int(name) for name in os.listdir(_PROC) if name.isdigit()} if _PROC.is_dir() else set()  # noqa: PTH208  # the fastest there is: it runs after every test


def _is_ours(pid: int) -> bool:
    """Whether it runs, and is our child or was started by one of them."""
    try:
        state, parent = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[:2]
        if state in "ZX":
            return False
        if int(parent) != os.getpid():
            mark = f"{_MARK}={os.getpid()}".encode()
            if mark not in (_PROC / str(pid) / "environ").read_bytes().split(b"\0"):
                return False
    except OSError:  # gone, or another user's
        return False
    return not any(name in _command(pid) for name in LIBRARY_PROCESSES)


def _command(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "gone by now"


def _socket(target: str) -> str:
    for connection in psutil.Process().net_connections("all"):
        try:
            if os.readlink(f"/proc/self/fd/{connection.fd}") == target:  # noqa: PTH115  # the text, not a path
                return f"{connection.laddr} to {connection.raddr}, {connection.status}"
        except OSError:
            continue
    return f"{target}, one of a pair or not connected"
