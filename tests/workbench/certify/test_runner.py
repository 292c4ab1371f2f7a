"""The runner survives whatever a suite does. None of these cases asks for a bench."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree.ElementTree import fromstring

import pytest

from drivers.errors import RunLogError, Usage
from tests.workbench.certify.suites_for_tests import ended, suite
from workbench.certificates.certificate import NAME
from workbench.certificates.decoder import read_certificate
from workbench.certificates.results import Verdict
from workbench.certify import certificate, runner
from workbench.certify.job import CertificationJob
from workbench.certify.runner import Certification, find_suite
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.session import waiting

if TYPE_CHECKING:
    from pathlib import Path


def certified(folder: Path, body: str, *only: str, first_detection: bool = False) -> Certification:
    out = folder / "out"
    out.mkdir()
    order = CertificationJob(EMULATED_BENCH, out, only, first_detection)
    return ended(Certification(suite(folder / "suite", body), order))


TWO = """
@case("A-01", refs=["X 1"], hazard="H")
def test_a(rec):
    '''A title.'''
    rec.check("low", 1.0, "V", lo=2.0, channel="a")
    rec.check("fine", 1.0, "V", lo=0.0, hi=2.0)

@case("A-02")
def test_b(rec):
    rec.check("fine", 1.0, "V", lo=0.0)
"""


def test_a_check_that_fails_does_not_end_its_case(tmp_path: Path) -> None:
    one, two = certified(tmp_path, TWO).cases
    assert [check.verdict for check in one.checks] == [Verdict.FAIL, Verdict.PASS]
    assert (one.verdict, two.verdict) == (Verdict.FAIL, Verdict.PASS)
    assert (one.info.title, one.info.refs, one.info.hazard) == ("A title.", ("X 1",), "H")


def test_a_case_that_the_device_profile_cannot_serve_is_not_applicable_and_the_others_go_on(tmp_path: Path) -> None:
    body = """
from drivers.errors import NotApplicable

@case("A-01")
def test_a(rec):
    raise NotApplicable("the device profile p.toml declares no [heartbeat]")

@case("A-02")
def test_b(rec):
    rec.check("fine", 1.0, "V", lo=0.0)
"""
    certification = certified(tmp_path, body)
    one, two = certification.cases
    assert (one.verdict, one.reason) == (Verdict.NA, "the device profile p.toml declares no [heartbeat]")
    assert two.verdict is Verdict.PASS
    made = certificate.make_certificate(certification)
    assert (made.passed, made.counts[Verdict.NA]) == (True, 1)


def test_a_run_can_end_at_its_first_detection(tmp_path: Path) -> None:
    one, two = certified(tmp_path, TWO, first_detection=True).cases
    assert (one.verdict, two.verdict) == (Verdict.FAIL, None)


def test_cases_can_be_picked(tmp_path: Path) -> None:
    assert [case.name for case in certified(tmp_path, TWO, "A-02").cases] == ["A-02"]


def test_a_script_that_fails_is_an_error_with_its_line(tmp_path: Path) -> None:
    body = "@case('A-01')\ndef test_a(rec):\n    rec.check('fine', 1.0, 'V')\n    1 / 0\n"
    (case,) = certified(tmp_path, body).cases
    assert case.verdict is Verdict.ERROR
    assert "ZeroDivisionError" in case.reason
    assert "test_cases.py:7" in case.reason


def test_a_script_that_crashes_takes_nobody_along_and_the_rest_is_blocked(tmp_path: Path) -> None:
    body = "@case('A-01')\ndef test_a(rec):\n    os._exit(9)\n\n@case('A-02')\ndef test_b(rec): ...\n"
    certification = certified(tmp_path, body)
    one, two = certification.cases
    assert (one.verdict, two.verdict) == (Verdict.ERROR, Verdict.BLOCKED)
    assert "exit 9" in one.reason
    made = certificate.write(certification, tmp_path / "out")
    assert not made.passed


def test_a_case_that_checks_nothing_is_an_error(tmp_path: Path) -> None:
    (case,) = certified(tmp_path, "@case('A-01')\ndef test_a(rec): ...\n").cases
    assert (case.verdict, case.reason) == (Verdict.ERROR, "the script recorded no check")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("def (", "SyntaxError"),
        ("import nowhere_at_all\n", "nowhere_at_all"),
        ("", "contains none of the requested cases"),
    ],
)
def test_a_suite_that_cannot_run_is_named(tmp_path: Path, body: str, said: str) -> None:
    certification = certified(tmp_path, body)
    assert said in " ".join(certification.broken)
    assert not certification.is_readable
    assert not certificate.write(certification, tmp_path / "out").passed


def test_a_stop_ends_what_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "STOP_S", 0.5)
    body = "import time\n@case('A-01')\ndef test_a(rec):\n    time.sleep(40)\n"
    out = tmp_path / "out"
    out.mkdir()
    certification = Certification(suite(tmp_path / "suite", body), CertificationJob(EMULATED_BENCH, out))
    assert waiting.wait_for(certification, lambda: certification.now is not None, 60.0)
    certification.stop()
    ended(certification)  # it does not look for the stop: its process is ended
    assert certification.cases[0].reason == "stopped"


def test_garbage_in_the_progress_file_is_left_out(tmp_path: Path) -> None:
    body = """
@case('A-01')
def test_a(rec):
    with open(os.environ['GARBAGE'] if 'GARBAGE' in os.environ else progress(), 'ab') as file:
        file.write(b'\\xff\\xfe{\\n[]\\n{"event": "unheard of"}\\n')
    rec.check('fine', 1.0, 'V')

def progress():
    from workbench.certify.job import read_job
    return read_job().out / 'progress.jsonl'
"""
    (case,) = certified(tmp_path, body).cases
    assert case.verdict is Verdict.PASS


def test_the_certificate_reads_back_and_the_report_stands_alone(tmp_path: Path) -> None:
    made = certificate.write(certified(tmp_path, TWO), tmp_path / "out")
    assert read_certificate(tmp_path / "out") == made
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "NOT PASSED" in page
    assert "A title." in page
    assert not any(word in page for word in ("http://", "https://", "<script", "<link"))
    junit = (tmp_path / "out" / "junit.xml").read_text(encoding="utf-8")
    assert 'tests="2" failures="1" errors="0"' in junit
    assert '<failure message="low: 1.0 V, below its limit">' in junit
    rows = json.loads((tmp_path / "out" / "certificate.json").read_text(encoding="utf-8"))["cases"]
    assert {"id", "cell", "name", "lo", "hi", "value", "unit", "verdict"} <= set(rows[0])


@pytest.mark.parametrize("text", ["", "[]", '{"schema": "another/1"}', '{"schema": "pulsebms.certificate/1"}'])
def test_what_is_no_certificate_is_answered_with_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text, encoding="utf-8")
    with pytest.raises(RunLogError, match="no certificate"):
        read_certificate(tmp_path)


def test_a_suite_that_is_not_there_is_answered_with_those_there_are() -> None:
    with pytest.raises(Usage, match="bms"):
        find_suite("nothing")


ODD = """
import math

@case("ODD-03")
def test_nan_limit(rec):
    rec.check("nan limit", 1.0, "1", lo=math.nan, hi=2)

@case("ODD-04")
def test_nan_value(rec):
    rec.check("nan value", math.nan, "V", lo=0, hi=2)

@case("ODD-08")
def test_inverted(rec):
    rec.check("inverted", 1.0, "1", lo=2, hi=0)

@case("ODD-12")
def test_coarse(rec):
    rec.check("far outside", 76.1, "ms", lo=5, hi=6, uncertainty=26.7)
    rec.check("too coarse", 5.5, "ms", lo=5, hi=6, uncertainty=26.7)
"""

COARSE = """
@case("A-01")
def test_a(rec):
    rec.check("fine", 1.0, "V", lo=0.0, hi=2.0)
    rec.check("one", 5.5, "ms", lo=5, hi=6, uncertainty=3.0)
    rec.check("two", 5.5, "ms", lo=5, hi=6, uncertainty=4.0)

@case("A-02")
def test_b(rec):
    rec.not_applicable("three", "this device has none")

@case("A-03")
def test_c(rec):
    rec.check("fine", 1.0, "V", lo=0.0, hi=2.0)
"""


def test_limits_that_make_no_sense_are_the_scripts_error_and_what_is_far_outside_fails(tmp_path: Path) -> None:
    certification = certified(tmp_path, ODD)
    assert [(case.name, case.verdict) for case in certification.cases] == [
        ("ODD-03", Verdict.ERROR),
        ("ODD-04", Verdict.FAIL),
        ("ODD-08", Verdict.ERROR),
        ("ODD-12", Verdict.FAIL),
    ]
    assert "error in the script: limits nan to 2" in certification.cases[0].reason
    made = certificate.write(certification, tmp_path / "out")
    assert not made.passed
    assert made.result == "NOT PASSED, 1 check not judged"


def test_a_certificate_says_how_many_checks_were_not_judged(tmp_path: Path) -> None:
    certification = certified(tmp_path, COARSE)
    assert [case.verdict for case in certification.cases] == [Verdict.NA, Verdict.NA, Verdict.PASS]
    assert "one: the bench measures it to +-3" in certification.cases[0].reason
    made = certificate.write(certification, tmp_path / "out")
    assert (made.passed, made.not_judged, made.result) == (True, 3, "PASSED, 3 checks not judged")
    assert made.counts == {"PASS": 1, "FAIL": 0, "ERROR": 0, "BLOCKED": 0, "N/A": 2}
    said = json.loads((tmp_path / "out" / NAME).read_text(encoding="utf-8"))
    assert (said["result"], said["not_judged"]) == ("PASSED, 3 checks not judged", 3)
    assert "PASSED, 3 checks not judged" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    junit = fromstring((tmp_path / "out" / "junit.xml").read_text(encoding="utf-8"))  # noqa: S314  # ours
    told = {one.get("name"): one.get("value") for one in junit.iter("property")}
    assert told == {"result": "PASSED, 3 checks not judged", "not_judged": "3"}
    assert junit.get("skipped") == "2"
    assert read_certificate(tmp_path / "out").result == made.result


def test_a_suite_of_which_nothing_could_be_judged_has_not_passed(tmp_path: Path) -> None:
    made = certificate.make_certificate(certified(tmp_path, COARSE, "A-02"))
    assert (made.passed, made.result) == (False, "NOT PASSED, 1 check not judged")
