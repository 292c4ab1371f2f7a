"""Tests of time fail only where the machine could be judged: else they are skipped as "not judged", with its figure.

A test of time is marked `timed` or `alone`. While it runs two things are measured that nothing of this run can cause:
how late an empty loop above all that keeps time here wakes, and what others take of the cores. A test that holds has
held, whatever they were; one that fails while they were out of bounds says nothing of this code.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

ROOT: Final = Path(__file__).resolve().parent.parent
LATE_MS: Final = 2.0  # p99 of the empty loop, as the selftest asks of the bench's own
OTHERS_CORES: Final = 0.25  # of processes that are none of this run's, and of other guests of the host
NOT_JUDGED: Final = "not judged"
FILE: Final = "PULSEBMS_NOT_JUDGED"  # in the environment: the file that `tools/test.py` counts them by
RUN: Final = "PULSEBMS_TEST_RUN"  # in the environment of all that one run of tests starts
_PROC: Final = Path("/proc")
_PERIOD_S: Final = 0.01


@dataclass(frozen=True)
class Cores:
    """What was used of the cores up to an instant, in ticks of the system; by each process, and with its children."""

    t_s: float
    busy: int
    stolen: int
    own: dict[int, int]
    whole: dict[int, int]


def cores() -> Cores:
    """As it is now; empty where there is no `/proc`."""
    if not (_PROC / "stat").is_file():
        return Cores(time.monotonic(), 0, 0, {}, {})
    user, nice, system, _, _, interrupts, soft, stolen = map(int, (_PROC / "stat").read_text().split()[1:9])
    own, whole = dict[int, int](), dict[int, int]()
    for name in os.listdir(_PROC):  # noqa: PTH208  # twice a test, a hundred processes
        if name.isdigit():
            try:
                fields = (_PROC / name / "stat").read_bytes().rpartition(b")")[2].split()
            except OSError:  # it ended meanwhile
                continue
            used = [int(field) for field in fields[11:15]]
            own[int(name)], whole[int(name)] = sum(used[:2]), sum(used)
    return Cores(time.monotonic(), user + nice + system + interrupts + soft, stolen, own, whole)


def others_cores(before: Cores, after: Cores, ours: set[int]) -> float:
    """How many cores others took: processes that are seen and not `ours`, those that are not seen, and other guests."""
    ticks = (after.t_s - before.t_s) * os.sysconf("SC_CLK_TCK") if after.own else 0.0
    if ticks <= 0.0:
        return 0.0
    seen = sum(used - before.own.get(pid, 0) for pid, used in after.own.items() if pid not in ours)
    all_seen = sum(used - before.whole.get(pid, 0) for pid, used in after.whole.items())
    unseen = max(0, after.busy - before.busy - all_seen)
    return (seen + unseen + after.stolen - before.stolen) / ticks


def _ours(pids: set[int]) -> set[int]:
    mark = f"{RUN}={os.environ.get(RUN, '')}".encode()
    found = {os.getpid(), os.getppid()}
    for pid in pids:
        try:
            if mark in (_PROC / str(pid) / "environ").read_bytes().split(b"\0"):
                found.add(pid)
        except OSError:  # another user's, or gone
            continue
    return found


class Probe:
    """The empty loop, in a process of its own that rests between two tests."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.judging"]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def begin(self) -> None:
        self._say()

    def late_ms(self) -> float:
        """How late it woke at p99 since `begin`; 0 where it was killed, which excuses nothing."""
        self._say()
        assert self.process.stdout is not None
        return float(self.process.stdout.readline() or 0.0)

    def close(self) -> None:
        self.process.communicate(timeout=10.0)

    def _say(self) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(b".")
            self.process.stdin.flush()
        except OSError:
            return


def why_not(late_ms: float, others: float) -> str:
    """Why nobody could judge a test of time; empty where anybody could."""
    if late_ms > LATE_MS:
        return f"an empty loop woke {late_ms:.1f} ms late at p99, more than {LATE_MS:g} ms"
    if others > OTHERS_CORES:
        return f"others took {others:.2f} cores, more than {OTHERS_CORES:g}"
    return ""


_PROBE: Final = pytest.StashKey[Probe]()


def pytest_configure() -> None:
    """All that this run starts knows its mark; workers have it from the process that started them."""
    os.environ.setdefault(RUN, str(os.getpid()))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that must be alone is one of time."""
    for item in items:
        if item.get_closest_marker("alone"):
            item.add_marker("timed")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Before any test, so that none of them is taken for who started it."""
    if not session.config.option.collectonly and any(item.get_closest_marker("timed") for item in session.items):
        session.config.stash[_PROBE] = Probe()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _PROBE in config.stash:
        config.stash[_PROBE].close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Measure the machine beside a test of time."""
    if _PROBE not in item.config.stash or not item.get_closest_marker("timed"):
        return (yield)
    probe, before = item.config.stash[_PROBE], cores()
    probe.begin()
    failure: BaseException | None = None
    try:
        yield
    except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001  # whatever a test fails with
        failure = error
    late_ms, after = probe.late_ms(), cores()
    if failure is None:
        return None
    others = others_cores(before, after, _ours(after.own.keys() - {1}))
    why = why_not(late_ms, others)
    if not why:
        failure.add_note(f"meanwhile an empty loop woke {late_ms:.1f} ms late at p99, others took {others:.2f} cores")
        raise failure
    item.user_properties.append((NOT_JUDGED, why))
    said = next(iter(str(failure).splitlines()), type(failure).__name__)
    pytest.skip(f"{item.name} {NOT_JUDGED}: {why} (it failed with: {said[:200]})")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name those that nobody could judge."""
    names = [
        f"{report.nodeid}: {dict(report.user_properties)[NOT_JUDGED]}"
        for report in terminalreporter.getreports("skipped")
        if NOT_JUDGED in dict(getattr(report, "user_properties", ()))  # a module that is skipped has none
    ]
    if names and not hasattr(terminalreporter.config, "workerinput"):  # workers hand on to who started them
        terminalreporter.section(f"{len(names)} tests of time {NOT_JUDGED}")
        terminalreporter.line("\n".join(names))
        if FILE in os.environ:
            with Path(os.environ[FILE]).open("a", encoding="utf-8") as file:
                file.write("".join(f"{name}\n" for name in names))


def _main() -> None:
    """At each byte begin to measure, or end and print how late it was at p99, in ms."""
    from drivers.realtime import LATENCY_PROBE, ask_realtime  # noqa: PLC0415  # of this process alone

    ask_realtime(LATENCY_PROBE)
    while os.read(0, 1):
        late_s, due_s = [0.0], time.monotonic() + _PERIOD_S
        while not select.select([0], [], [], max(0.0, due_s - time.monotonic()))[0]:
            now_s = time.monotonic()
            while due_s <= now_s:  # what a stall swallows is late too
                late_s.append(now_s - due_s)
                due_s += _PERIOD_S
        if not os.read(0, 1):
            return
        late_s.sort()
        print(1e3 * late_s[min(len(late_s) - 1, int(0.99 * len(late_s)))], flush=True)  # noqa: T201  # to who asked


if __name__ == "__main__":
    _main()
