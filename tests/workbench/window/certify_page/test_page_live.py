"""The Certify page on the emulated bench, as an engineer would use it."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING

import psutil
import pytest

from control.guard_journal import FILE_NAME, read_journal
from control.guard_reports import TripReport
from tests.workbench.fake_session import FakeSession
from tests.workbench.hands import click
from tests.workbench.live import HIL24
from workbench.certificates.results import Verdict
from workbench.certify.runner import Certification
from workbench.window.certify_page.controller import CertifyStage
from workbench.window.runs_page.run_library import RunLibrary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown

pytestmark = [pytest.mark.whole_bench, pytest.mark.timeout(240)]
SLOW_MS = 100_000


@pytest.fixture
def shown(show: Callable[..., Shown], tmp_path: Path, qtbot: QtBot) -> Shown:
    session = FakeSession(past_s=2.0)
    session.bench = dataclasses.replace(session.bench, file=str(HIL24))
    made = show(session, past=partial(RunLibrary, tmp_path))
    made.window.show_page("Certify")
    course = made.window.certify.controller
    qtbot.waitUntil(lambda: course.stage is CertifyStage.IDLE and bool(course.cases), timeout=SLOW_MS)
    return made


def test_one_case_is_certified_from_the_page(shown: Shown, tmp_path: Path, qtbot: QtBot) -> None:
    page = shown.window.certify
    page.picker.model.tick_only([case for case in page.controller.cases if case.name == "OV-01/7"])
    click(page.bar.start)
    qtbot.waitUntil(lambda: page.controller.result is not None, timeout=SLOW_MS)
    result = page.controller.result
    assert result is not None
    assert (result.passed, result.evidence) == (True, "SIM")
    assert (result.counts[Verdict.PASS], sum(result.counts.values())) == (1, 1)
    (folder,) = (tmp_path / "certificates").iterdir()
    assert (folder / "report.html").is_file()
    page.picker.show_case(next(case for case in page.controller.cases if case.name == "OV-01/7"))
    assert {plot.spec.title for plot in page.case_plots.plots} >= {"cell_07/voltage", "io/contactor"}
    row = next(n for n, check in enumerate(page.checks.checks.rows) if check.name == "limit to contact")
    page.checks.selectRow(row)
    qtbot.waitUntil(lambda: page.case_plots.axis.mark_s is not None)


def test_outputs_off_has_the_guard_switch_the_supply_off(shown: Shown, tmp_path: Path, qtbot: QtBot) -> None:
    page = shown.window.certify
    click(page.bar.start)
    qtbot.waitUntil(lambda: bool(page.controller.cases[0].checks), timeout=SLOW_MS)
    work = page.controller.work
    assert isinstance(work, Certification)
    process = psutil.Process(work.pid)
    family = [process, *process.children(recursive=True)]
    assert len(family) > 3  # engine, guard, emulated bench
    shown.window.commands.run("outputs off")
    qtbot.waitUntil(lambda: page.controller.result is not None, timeout=SLOW_MS)
    qtbot.waitUntil(lambda: bool(trip_reports(tmp_path)), timeout=SLOW_MS)
    steps = {step.name: step.verified for step in trip_reports(tmp_path)[0].steps}
    assert steps["supply off"]
    _, alive = psutil.wait_procs(family, timeout=30.0)
    assert len(alive) <= 1  # a guard whose bench has gone goes on asking it for two minutes
    for guard in alive:
        guard.kill()
    psutil.wait_procs(alive, timeout=30.0)


def trip_reports(root: Path) -> list[TripReport]:
    """What guards say of their safe sequences."""
    files = root.glob(f"certificates/*/runs/*/{FILE_NAME}")
    return [record for file in files for record in read_journal(file).records if isinstance(record, TripReport)]
