"""What a qualification makes of its trials. None of these cases asks for a bench."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.workbench.certify.suites_for_tests import suite
from workbench.certify.qualify import QualificationTrial, TrialResult, qualify_suite
from workbench.compose.shipped_bench import EMULATED_BENCH

if TYPE_CHECKING:
    from pathlib import Path

SHAKY = """
from pathlib import Path
from drivers.errors import BenchError
SEEN = Path(__file__).with_name("seen")

@case("A-01")
def test_a(rec):
    rec.check("fine", 1.0, "V", lo=0.0)

@case("A-02")
def test_b(rec):
    times = len(SEEN.read_text()) if SEEN.exists() else 0
    SEEN.write_text("x" * (times + 1))
    if times < %d:
        raise BenchError("the machine is busy")
    rec.check("fine", 1.0, "V", lo=%g)
"""


def judged(folder: Path, body: str, trial: QualificationTrial) -> tuple[TrialResult, list[TrialResult]]:
    heard: list[TrialResult] = []
    (outcome,) = qualify_suite(
        suite(folder / "suite", body), EMULATED_BENCH, folder / "out", [trial], at_once=2, tell=heard.append
    )
    return outcome, heard


def test_what_could_not_be_judged_is_run_again_and_nothing_else(tmp_path: Path) -> None:
    outcome, heard = judged(tmp_path, SHAKY % (1, 0.0), QualificationTrial("healthy"))
    assert (outcome.ok, outcome.cases, len(heard)) == (True, 2, 2)
    assert outcome.as_json()["again"] == ["A-02: ERROR the machine is busy"]
    assert outcome.as_json()["unclear"] == []
    again = (tmp_path / "out" / "healthy" / "again" / "progress.jsonl").read_text(encoding="utf-8")
    assert "A-01" not in again


def test_what_cannot_be_judged_twice_stays_so(tmp_path: Path) -> None:
    outcome, heard = judged(tmp_path, SHAKY % (9, 0.0), QualificationTrial("healthy"))
    assert (outcome.ok, outcome.why, len(heard)) == (False, "A-02: ERROR the machine is busy", 2)


def test_an_alarm_is_not_asked_again(tmp_path: Path) -> None:
    outcome, heard = judged(tmp_path, SHAKY % (0, 2.0), QualificationTrial("healthy"))
    assert (outcome.ok, outcome.alarms, len(heard)) == (False, ["A-02: fine"], 1)


def test_a_defect_that_hid_behind_a_busy_machine_is_looked_for_again(tmp_path: Path) -> None:
    outcome, _ = judged(tmp_path, SHAKY % (1, 2.0), QualificationTrial("defect", "some"))
    assert (outcome.ok, outcome.alarms) == (True, ["A-02: fine"])
