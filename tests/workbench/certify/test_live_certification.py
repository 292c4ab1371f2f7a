"""The shipped suite on the emulated bench, and scripts that misbehave on a live one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.waiting import wait_until
from tests.workbench.certify.suites_for_tests import ended, suite
from workbench.certificates.results import Verdict
from workbench.certify import certificate
from workbench.certify.job import CertificationJob
from workbench.certify.runner import Certification, find_suite
from workbench.compose.defects import NO_DEFECTS
from workbench.compose.named_defects import seed_defect
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.selftest import evidence

if TYPE_CHECKING:
    from workbench.certify.runner import CaseRun

pytestmark = [pytest.mark.whole_bench, pytest.mark.timeout(240)]
WITHIN_S = 150.0
ROOT = Path(__file__).resolve().parents[3]


def certified(folder: Path, path: Path, *only: str, defect: str = "", cell: int = 7) -> Certification:
    out = folder / "out"
    out.mkdir()
    seeded = seed_defect(defect, cell) if defect else NO_DEFECTS
    certification = Certification(path, CertificationJob(EMULATED_BENCH, out, only, bool(defect), seeded))
    return ended(certification, WITHIN_S)


def failed(case: CaseRun) -> list[str]:
    return [check.name for check in case.checks if check.verdict is Verdict.FAIL]


def test_a_healthy_device_passes_and_the_certificate_tells_with_what(tmp_path: Path) -> None:
    certification = certified(tmp_path, find_suite("bms"), "OV-01/7", "OC-01", "FB-01")
    assert [(case.name, case.verdict, case.reason) for case in certification.cases] == [
        ("OV-01/7", Verdict.PASS, ""),
        ("FB-01/open", Verdict.PASS, ""),
        ("FB-01/closed", Verdict.PASS, ""),
        ("OC-01", Verdict.PASS, ""),
    ]
    made = certificate.write(certification, tmp_path / "out")
    assert (made.passed, made.evidence) == (True, "SIM")
    assert any("NGI" in line for line in made.instruments)
    (time,) = (row for case in made.cases if case.info.id == "OV-01" for row in case.rows if row.unit == "ms")
    assert time.name == "limit to contact"
    assert time.uncertainty is not None
    assert 0.0 < time.uncertainty < 30.0
    for case in certification.cases:
        plotted = {trace.channel for trace in case.traces}
        assert plotted >= {check.channel for check in case.checks} >= {"io/contactor", "bms/fault"}
        assert all(check.at_s is not None and check.at_s >= 0.0 for check in case.checks), (
            "a check that leads to no instant"
        )
    assert {trace.channel for trace in certification.cases[0].traces} >= {"cell_07/voltage", "bms/fault_cell"}
    assert "<polyline" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("defect", "only", "found_by"),
    [("wrong-cell-named", "OV-01/7", "names the cell"), ("uv-limit-low", "UV-01/7", "contactor opens")],
)
def test_a_seeded_defect_is_found(tmp_path: Path, defect: str, only: str, found_by: str) -> None:
    (case,) = certified(tmp_path, find_suite("bms"), only, defect=defect).cases
    assert case.verdict is Verdict.FAIL, case.reason
    assert found_by in failed(case)


def test_a_wish_beyond_a_bench_limit_ends_its_case_and_not_the_next(tmp_path: Path) -> None:
    body = """
@case("A-01")
def test_a(bench, rec):
    bench.cell(3, 5.05)
    rec.check("not reached", 0.0, "1", lo=1.0)

@case("A-02")
def test_b(bench, rec):
    rec.check("closed", float(bench.contactor_closed()), "1", lo=1.0)
"""
    one, two = certified(tmp_path, suite(tmp_path / "suite", body)).cases
    assert one.verdict is Verdict.ERROR
    assert "cell_03/voltage 5.050 V above 5.000 V" in one.reason
    assert two.verdict is Verdict.PASS


def test_a_script_that_crashes_on_a_live_bench_leaves_it_safe(tmp_path: Path) -> None:
    body = """
@case("A-01")
def test_a(bench, rec):
    bench.current(20.0)
    os._exit(7)
"""
    certification = certified(tmp_path, suite(tmp_path / "suite", body))
    (case,) = certification.cases
    assert (case.verdict, "exit 7" in case.reason) == (Verdict.ERROR, True)
    assert_left_safe(tmp_path / "out")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_certification_whose_starter_is_killed_leaves_its_bench_safe(tmp_path: Path) -> None:
    body = """
@case("A-01")
def test_a(bench, rec):
    bench.current(20.0)
    bench.hold(60.0)
"""
    command = [sys.executable, "main.py", "certify", str(suite(tmp_path / "suite", body)), "--out", str(tmp_path)]
    starter = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run = wait_until(lambda: _flowing(tmp_path, starter), WITHIN_S, "20 A")
    started = psutil.Process(starter.pid).children()
    starter.kill()
    starter.wait()
    assert_left_safe(run.parent.parent)
    _, still = psutil.wait_procs(started, timeout=30.0)
    assert (len(started), still) == (1, [])


def _flowing(folder: Path, starter: subprocess.Popen[bytes]) -> Path | None:
    """The run in which 20 A flow, once they do."""
    assert starter.poll() is None
    return next((run for run in folder.glob("*/runs/*") if _flows(run)), None)


def _flows(run: Path) -> bool:
    """Whether the supply was asked for 20 A."""
    entries = evidence.read_journal(run / "emulated", "supply")
    return any("SINK:CURR 20" in str(entry.get("in", "")) for entry in entries)


def assert_left_safe(out: Path) -> None:
    (run,) = (out / "runs").iterdir()
    assert evidence.find_supply_off(run / "emulated", 0.0, within_s=20.0) is not None
    opened = evidence.wait_for_entry(
        run / "emulated", "bms", 0.0, lambda entry: entry.get("event") == "contactor" and not entry["closed"], 20.0
    )
    assert opened is not None
    wait_until((run / "emulated" / "ended").exists, 30.0, "the emulated bench's end")
