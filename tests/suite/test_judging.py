"""What decides that a test of time says nothing: the machine's own figures, never the test's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import judging
from tests.judging import LATE_MS, OTHERS_CORES, Cores, Probe, others_cores, why_not

ROOT = Path(__file__).resolve().parents[2]
LINUX = pytest.mark.skipif(not Path("/proc/stat").is_file(), reason="only /proc tells of it")
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
OURS, BUSY, REAPER = 10, 20, 1
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # Qt and others take seconds to load

CASES = """
import pytest

@pytest.mark.timed
def test_late():
    assert 0.3 < 0.2

@pytest.mark.alone
def test_late_and_alone():
    pytest.fail("too late")

@pytest.mark.timed
def test_in_time():
    pass

def test_wrong():
    assert False
"""


def run(folder: Path, others_cores: str, late_ms: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Those tests, where a machine counts as fit up to these figures."""
    (folder / "conftest.py").write_text(
        "from tests import judging\npytest_plugins = ('tests.judging',)\n"
        f"judging.OTHERS_CORES, judging.LATE_MS = {others_cores}, {late_ms}\n"
    )
    (folder / "test_cases.py").write_text(CASES)
    (folder / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT}\nmarkers =\n    timed\n    alone\n")
    environment = {**os.environ, **ALONE, judging.FILE: str(folder / "not_judged")}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60.0
    )


@LINUX
@pytest.mark.parametrize("arguments", [(), ("-p", "xdist", "-n", "1")])
def test_a_late_test_on_a_busy_machine_is_named_and_counted_not_failed(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = run(tmp_path, "-1.0", "1e9", *arguments)
    assert "1 failed, 1 passed, 2 skipped" in done.stdout
    assert "2 tests of time not judged" in done.stdout
    named = (tmp_path / "not_judged").read_text().splitlines()
    assert [line.split(": others took ")[0] for line in sorted(named)] == [
        "test_cases.py::test_late",
        "test_cases.py::test_late_and_alone",
    ]


@LINUX
def test_a_late_test_on_a_machine_whose_empty_loop_is_late_is_not_judged_either(tmp_path: Path) -> None:
    done = run(tmp_path, "1e9", "-1.0")
    assert "1 failed, 1 passed, 2 skipped" in done.stdout
    assert "an empty loop woke" in done.stdout


@LINUX
def test_a_late_test_on_a_fit_machine_fails(tmp_path: Path) -> None:
    done = run(tmp_path, "1e9", "1e9")
    assert "3 failed, 1 passed" in done.stdout
    assert not (tmp_path / "not_judged").exists()


def test_only_what_others_did_is_out_of_bounds() -> None:
    assert why_not(LATE_MS, OTHERS_CORES) == ""
    assert why_not(LATE_MS + 0.1, 0.0) == "an empty loop woke 2.1 ms late at p99, more than 2 ms"
    assert why_not(0.0, 2.0) == "others took 2.00 cores, more than 0.25"


def at(t_s: float, busy: float, stolen: float, used: dict[int, float], children: dict[int, float]) -> Cores:
    """Seconds of the cores, as ticks."""
    own = {pid: round(seconds * TICKS) for pid, seconds in used.items()}
    whole = {pid: ticks + round(children.get(pid, 0.0) * TICKS) for pid, ticks in own.items()}
    return Cores(t_s, round(busy * TICKS), round(stolen * TICKS), own, whole)


@pytest.mark.parametrize(
    ("busy", "stolen", "used", "children", "others"),
    [
        (2.0, 0.0, {OURS: 3.0, BUSY: 7.0, REAPER: 0.0}, {}, 0.0),  # ours alone
        (2.0, 0.0, {OURS: 2.0, BUSY: 8.0, REAPER: 0.0}, {}, 0.5),  # somebody we see
        (2.0, 0.0, {OURS: 2.0, BUSY: 7.0, REAPER: 0.0}, {}, 0.5),  # somebody we do not see
        (2.0, 0.0, {OURS: 2.0, BUSY: 7.0, REAPER: 0.0}, {REAPER: 1.0}, 0.0),  # an orphan that has ended
        (2.0, 0.0, {OURS: 2.0, BUSY: 7.0, REAPER: 0.0}, {OURS: 5.0}, 0.0),  # a child that began long before
        (2.0, 0.0, {OURS: 2.0, BUSY: 7.0, REAPER: 0.0, 30: 1.0}, {}, 0.5),  # somebody who came meanwhile
        (2.0, 1.0, {OURS: 3.0, BUSY: 7.0, REAPER: 0.0}, {}, 0.5),  # another guest of the host
    ],
)
def test_what_others_take_of_the_cores(
    busy: float, stolen: float, used: dict[int, float], children: dict[int, float], others: float
) -> None:
    before = at(100.0, 50.0, 4.0, {OURS: 1.0, BUSY: 7.0, REAPER: 0.0}, {})
    after = at(102.0, 50.0 + busy, 4.0 + stolen, used, children)
    assert others_cores(before, after, {OURS}) == pytest.approx(others)


def test_a_system_that_tells_nothing_excuses_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(judging, "_PROC", tmp_path)
    before, after = judging.cores(), judging.cores()
    assert others_cores(before, after, set()) == 0.0


def test_the_probe_measures_again_and_again_and_a_killed_one_excuses_nothing() -> None:
    probe = Probe()
    for _ in range(3):
        probe.begin()
        assert 0.0 <= probe.late_ms() < 1e4
    probe.process.kill()
    probe.process.wait()
    probe.begin()
    assert probe.late_ms() == 0.0
    probe.close()
