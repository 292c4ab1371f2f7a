"""The Certify page over real processes of small suites that ask for no bench."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING

import psutil
import pytest

from drivers.benchfile import read_bench
from drivers.errors import BenchFileError
from tests.workbench.certify.suites_for_tests import suite
from tests.workbench.fake_session import FakeSession
from tests.workbench.live import HIL24
from workbench.certificates.certificate import result_words
from workbench.certificates.results import Verdict
from workbench.certificates.suites import SUITES
from workbench.certify import suite_loader
from workbench.certify.runner import Certification
from workbench.certify.suite_loader import SuiteLoadProcess
from workbench.session import waiting
from workbench.window.certify_page.controller import CertifyStage
from workbench.window.runs_page.run_library import RunLibrary
from workbench.window.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown
    from workbench.window.certify_page.page import CertifyPage

SLOW_MS = 60_000
MIXED = """
@case("A-01")
def test_a(rec):
    '''Fine.'''
    rec.check("low", 1.0, "V", lo=0.0)

@case("A-02")
def test_b(rec):
    '''Takes its process along.'''
    rec.check("before", 3.0, "V", hi=2.0)
    os._exit(3)

@case("A-03")
def test_c(rec):
    rec.check("never", 1.0, "V")
"""
WAITS = """
import time
from pathlib import Path
from workbench.certify.job import read_job

@case("W-01")
def test_waits(rec):
    while not (read_job().out / "stop").exists():
        time.sleep(0.02)
    rec.check("waited", 1.0, "1", lo=1.0)

@case("W-02")
def test_after(rec):
    rec.check("never", 1.0, "1", lo=1.0)
"""


def read(path: Path, bench: Path = HIL24) -> SuiteLoadProcess:
    made = SuiteLoadProcess(path, bench)
    assert waiting.wait_for(made, lambda: made.done, SLOW_MS / 1e3)
    return made


def test_suite_is_read_and_nothing_of_it_runs(tmp_path: Path) -> None:
    made = read(suite(tmp_path / "mine", MIXED))
    assert [(case.name, case.info.title) for case in made.cases] == [
        ("A-01", "Fine."), ("A-02", "Takes its process along."), ("A-03", "test c"),
    ]  # fmt: skip
    assert made.broken == []


def test_shipped_suite_has_a_case_for_each_cell() -> None:
    names = [case.name for case in read(SUITES / "bms").cases]
    assert [name for name in names if name.startswith("OV-01")] == [f"OV-01/{cell}" for cell in range(1, 25)]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("def test_x(:", "SyntaxError"),
        ("os._exit(4)", "exit 4"),
        ("", suite_loader.NO_CASE),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_suite_that_cannot_be_read_says_why(tmp_path: Path, body: str, words: str) -> None:
    made = read(suite(tmp_path / "mine", body))
    assert made.cases == []
    assert words in made.broken[0]


def test_an_error_of_the_bench_file_is_one_sentence_for_all_files_of_the_suite(tmp_path: Path) -> None:
    bench = tmp_path / "bench.toml"
    bench.write_text("[bench", encoding="utf-8")
    with pytest.raises(BenchFileError) as error:
        read_bench(bench)
    assert read(SUITES / "bms", bench).broken == [str(error.value)]


def test_suite_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite_loader, "TIMEOUT_S", 1.0)
    made = read(suite(tmp_path / "mine", "import time\ntime.sleep(600)"))
    assert f"{suite_loader.TIMEOUT_S:g} s" in made.broken[0]
    assert not psutil.pid_exists(made.pid)


@pytest.fixture
def page(show: Callable[..., Shown], tmp_path: Path, qtbot: QtBot) -> CertifyPage:
    session = FakeSession(past_s=2.0)
    session.bench = dataclasses.replace(session.bench, file=str(HIL24))
    return show(session, past=partial(RunLibrary, tmp_path)).window.certify


def process_of(page: CertifyPage) -> int:
    work = page.controller.work
    assert isinstance(work, Certification)
    return work.pid


def chosen(page: CertifyPage, path: Path, qtbot: QtBot) -> None:
    page.show()
    page.bar.add_folder(str(path))
    qtbot.waitUntil(lambda: page.controller.stage is CertifyStage.IDLE and bool(page.controller.cases), timeout=SLOW_MS)


def test_crash_of_a_script_is_an_error_and_the_window_goes_on(page: CertifyPage, tmp_path: Path, qtbot: QtBot) -> None:
    chosen(page, suite(tmp_path / "mine", MIXED), qtbot)
    for _ in range(2):
        page.start()
        qtbot.waitUntil(lambda: page.controller.result is not None, timeout=SLOW_MS)
        assert [case.verdict for case in page.controller.cases] == [Verdict.PASS, Verdict.ERROR, Verdict.BLOCKED]
        assert "exit 3" in page.head.about.text()
        assert [row.verdict for row in page.checks.checks.rows] == [Verdict.FAIL]
        assert page.result_bar.word.text() == result_words(passed=False, not_judged=0)
        page.controller.result = None
    assert len(list((tmp_path / "certificates").iterdir())) == 2


def test_stop_ends_the_process_in_order(page: CertifyPage, tmp_path: Path, qtbot: QtBot) -> None:
    chosen(page, suite(tmp_path / "mine", WAITS), qtbot)
    page.start()
    qtbot.waitUntil(lambda: page.controller.cases[0].begun, timeout=SLOW_MS)
    page.controller.stop()
    qtbot.waitUntil(lambda: page.controller.result is not None, timeout=SLOW_MS)
    assert page.controller.cases[0].verdict is Verdict.PASS
    assert page.controller.stage is CertifyStage.IDLE


def test_outputs_off_leaves_no_process(page: CertifyPage, tmp_path: Path, qtbot: QtBot) -> None:
    chosen(page, suite(tmp_path / "mine", WAITS), qtbot)
    page.start()
    qtbot.waitUntil(lambda: page.controller.cases[0].begun, timeout=SLOW_MS)
    pid = process_of(page)
    page.session_controller.outputs_off()
    qtbot.waitUntil(lambda: page.controller.result is not None, timeout=SLOW_MS)
    assert not psutil.pid_exists(pid)
    assert page.controller.cases[0].verdict is Verdict.BLOCKED


def test_closing_the_window_ends_what_runs_and_keeps_its_certificate(
    page: CertifyPage, tmp_path: Path, qtbot: QtBot
) -> None:
    chosen(page, suite(tmp_path / "mine", WAITS), qtbot)
    page.start()
    qtbot.waitUntil(lambda: page.controller.cases[0].begun, timeout=SLOW_MS)
    pid = process_of(page)
    shell = page.window()
    assert isinstance(shell, Shell)
    shell.leave()
    assert not psutil.pid_exists(pid)
    (folder,) = (tmp_path / "certificates").iterdir()
    assert (folder / "certificate.json").is_file()
