"""A case has a time limit, and so have its fixtures and the import of its file."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.workbench.certify.suites_for_tests import ended, suite
from workbench.certificates.results import Verdict
from workbench.certify import runner
from workbench.certify.case import case
from workbench.certify.job import CertificationJob
from workbench.certify.runner import Certification
from workbench.certify.time_limit import CaseTimeout, limit_time
from workbench.compose.shipped_bench import EMULATED_BENCH

if TYPE_CHECKING:
    from pathlib import Path


def certified(folder: Path, body: str) -> Certification:
    out = folder / "out"
    out.mkdir()
    return ended(Certification(suite(folder / "suite", body), CertificationJob(EMULATED_BENCH, out)))


HANGS = """
import time

@case("H-01", limit_s=0.3)
def test_hangs(rec):
    rec.check("fine", 1.0, "V")
    while True:
        try:
            time.sleep(1)
        except Exception:
            pass

@case("H-02")
def test_goes_on(rec):
    rec.check("fine", 1.0, "V")
"""


def test_a_case_that_never_returns_is_an_error_with_its_line_and_the_next_one_runs(tmp_path: Path) -> None:
    one, two = certified(tmp_path, HANGS).cases
    assert (one.verdict, two.verdict) == (Verdict.ERROR, Verdict.PASS)
    assert one.reason.startswith("the case took longer than its limit of 0.3 s (")
    assert "test_cases.py:12" in one.reason
    assert [check.name for check in one.checks] == ["fine"]


STUBBORN = """
import time
import workbench.certify.plugin as plugin
from functools import partial
from workbench.certify.time_limit import limit_time

plugin.limit_time = partial(limit_time, grace_s=0.3)

@case("H-01", limit_s=0.3)
def test_hangs(rec):
    while True:
        try:
            time.sleep(1)
        except:
            pass

@case("H-02")
def test_never_runs(rec): ...
"""


def test_a_case_that_cannot_be_ended_ends_its_process(tmp_path: Path) -> None:
    one, two = certified(tmp_path, STUBBORN).cases
    assert (one.verdict, two.verdict) == (Verdict.ERROR, Verdict.BLOCKED)
    assert "did not end; its process was ended" in one.reason


def test_a_file_that_is_never_imported_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "COLLECT_S", 0.5)
    certification = certified(tmp_path, "import time\nwhile True:\n    time.sleep(1)\n")
    assert certification.cases == []
    assert "suite cannot be imported within 0.5 s" in certification.broken[0]
    assert not certification.is_readable


@pytest.mark.parametrize("limit_s", [0.0, -1.0, float("nan"), float("inf")])
def test_a_limit_that_is_no_time_is_refused(limit_s: float) -> None:
    with pytest.raises(ValueError, match="is not a time in seconds above 0"):
        case("H-01", limit_s=limit_s)


def test_a_block_that_ends_in_time_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with limit_time(60.0, lambda: None):
        pass
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    with pytest.raises(CaseTimeout), limit_time(0.01, lambda: None):
        assert threading.Event().wait(60.0)


NAMES = """
import pytest
from dataclasses import dataclass

@dataclass(frozen=True)
class Level:
    name: str
    volts: float

@case("P-01")
@pytest.mark.parametrize(
    "value", ["\u00e4 b/c", "x" * 300, "[a]::b", "bell \\x07,1", "", (1, 2.5), Level("high", 4.2), 7]
)
def test_a(rec, value):
    rec.check("fine", 1.0, "V")

@case("P-02")
@pytest.mark.parametrize("value", [1], ids=["\u7535\u6c60"])
def test_b(rec, value):
    rec.check("fine", 1.0, "V")
"""


def test_parametrised_cases_have_readable_names(tmp_path: Path) -> None:
    names = [made.name for made in certified(tmp_path, NAMES).cases]
    assert names == [
        *("P-01/\u00e4 b/c", f"P-01/{'x' * 57}...", "P-01/[a]::b", "P-01/bell _;1"),
        *("P-01/empty", "P-01/1 2.5", "P-01/high", "P-01/7", "P-02/\u7535\u6c60"),
    ]
