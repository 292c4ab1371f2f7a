"""The service report: its two pages from a pack's log, in HTML, as Typst, and what is refused."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from drivers.logs.cell_voltages import find_cell_columns, read_cell_voltages
from drivers.logs.log import read_log
from tests.workbench.own_cli import cli
from workbench.modelling import service_file
from workbench.modelling.service_report import MOST, ReportSection, ReportSubject, ServiceReport, compose_report
from workbench.modelling.service_typst import make_typst

if TYPE_CHECKING:
    from twin.health.report import HealthReport

HAS_TYPST = find_spec("typst") is not None
HOSTILE = '<b>#evil"\\ *x*</b>'
REPORT = ServiceReport("Service report", "all well", (("Made", HOSTILE),), ((ReportSection(HOSTILE, (HOSTILE,)),), ()))


def write_pack(path: Path) -> Path:
    """Write a log of three cells: a rest, a discharge, a rest; the second cell is the lowest."""
    lines = ["t_s,cell_01/voltage,cell_02/voltage,cell_03/voltage,supply/current"]
    for second in range(0, 2400, 5):
        current = 2.0 if 700 <= second < 1500 else 0.0
        volts = 3.9 - 1e-4 * min(max(second - 700, 0), 800) - 0.03 * current
        lines.append(f"{second},{volts:.4f},{volts - 0.03:.4f},{volts + 0.01:.4f},{current}")
    path.write_text("\n".join(lines))
    return path


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    status = cli(monkeypatch, "health", *words, "--json")
    return status, json.loads(capsys.readouterr().out)


def test_a_pack_is_judged_and_its_report_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log, page = write_pack(tmp_path / "pack.csv"), tmp_path / "report.html"
    status, answer = run(monkeypatch, capsys, str(log), "--cell", "chen2020", "--report", str(page))
    assert status == 0
    assert answer["reports"] == [str(page)]
    assert [part["title"] for part in answer["report"]["sections"]][3] == "Balance of the cells"
    assert "cells 40 mV apart" in answer["report"]["result"]
    assert any("cell 2 is judged" in note for note in answer["notes"])
    rest = answer["balance"][0]
    assert (rest["lowest"], rest["highest"], rest["cells"]) == (2, 3, 3)
    assert rest["spread_v"] == pytest.approx(0.04)
    assert 0.0 < rest["soc_spread"] < 0.2
    assert {one["quantity"]: one["is_met"] for one in answer["limits"]}["lowest voltage"]
    text = page.read_text(encoding="utf-8")
    for words in ("40.0 mV", "cell 3", "Not judged", "no limit of temperature", "Chen2020"):
        assert words.lower() in text.lower()
    assert not re.search(r"https?://|<script", text), "it works offline"
    status, answer = run(monkeypatch, capsys, str(log), "--cell", "chen2020", "--number", "1")
    assert not any("is judged" in note for note in answer["notes"])


def test_a_report_of_another_format_is_refused_before_the_log_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, answer = run(monkeypatch, capsys, str(tmp_path / "none.csv"), "--report", str(tmp_path / "r.docx"))
    assert (status, answer["error"]["key"]) == (2, "report")


def test_without_typst_pdf_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "typst", None)
    with pytest.raises(service_file.PackageMissing) as caught:
        service_file.check_formats([Path("r.pdf")])
    assert caught.value.key == "pdf"
    assert "pulsebms[pdf]" in caught.value.hint


def test_text_of_a_log_is_never_markup() -> None:
    assert HOSTILE not in service_file.make_html(REPORT)
    assert "&lt;b&gt;#evil" in service_file.make_html(REPORT)
    source = make_typst(REPORT)
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', '""', source)
    assert '"<b>#evil\\"\\\\ *x*</b>"' in source
    assert "evil" not in outside
    assert source.count("#pagebreak()") == 1


def test_long_lists_are_cut_and_say_so(many: HealthReport) -> None:
    report = compose_report(many, ReportSubject("now", notes=tuple(map(str, range(40)))))
    gaps, notes = report.pages[1][1], report.pages[1][2]
    assert len(gaps.sentences) == len(notes.sentences) == MOST + 1
    assert gaps.sentences[-1].startswith(str(len(many.not_judged) - MOST))


@pytest.fixture
def many() -> HealthReport:
    from twin.health.report import HealthReport  # noqa: PLC0415  # scipy

    return HealthReport(("log",), (), (), None, tuple(f"gap {number}: it {'x' * 80}" for number in range(30)))


@pytest.mark.skipif(not HAS_TYPST, reason="the extra pdf is not installed")
def test_the_pdf_has_two_pages(many: HealthReport) -> None:
    data = service_file.make_pdf(compose_report(many, ReportSubject("now", notes=("x" * 90,) * 40)))
    assert data.startswith(b"%PDF")
    assert re.search(rb"/Count 2\b", data)


def test_headers_of_packs_name_their_cells(tmp_path: Path) -> None:
    assert find_cell_columns(["Time", "Cell 2 (V)", "cell_01_voltage", "Cellar 3"]) == {1: 2, 2: 1}
    path = tmp_path / "pack.csv"
    rows = ("0;7,3;0;3650;3640", "1;7,3;1;;3640", "2;7,2;1;3600;3590")
    path.write_text("\n".join(["time_s;voltage_v;current_a;Cell 1 (mV);Cell 2 (mV)", *rows]))
    numbers, volts = read_cell_voltages(read_log(path, sign="discharge"))
    assert numbers == (1, 2)
    assert volts[:, 0] == pytest.approx([3.65, 3.64])
    assert np.isnan(volts[0, 1])
