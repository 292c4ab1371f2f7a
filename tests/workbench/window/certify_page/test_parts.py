"""What the Certify page is made of: figures in words, traces as stores, the shared axis, limits and windows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtGui import QPainter, QPixmap

from drivers.errors import BenchFileError
from tests.workbench.fake_session import facts
from tests.workbench.live import HIL24
from workbench.certificates.results import CaseCheck, Verdict
from workbench.certificates.suites import SUITES
from workbench.certify import svg_plots
from workbench.certify.case_trace import CaseTrace
from workbench.window.certify_page import style
from workbench.window.certify_page.case_plots import CasePlots, limits_of, window_of
from workbench.window.certify_page.case_time_axis import SPANS_S, CaseTimeView
from workbench.window.certify_page.certifier import BenchCertifier
from workbench.window.certify_page.traces import APART_S, TraceHistory, fill_gaps, make_spec
from workbench.window.widgets.themes import THEMES, contrast

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

ROOT = Path(__file__).resolve().parents[4]
IMPORTS = """
import json, sys
import workbench.window.certify_page.page, workbench.window.certify_page.certifier
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


PLAIN = CaseCheck("x", 4.27, "V", None, None, 0.0, Verdict.PASS, channel="cell_07/voltage")


def check(**fields: Any) -> CaseCheck:
    return replace(PLAIN, **fields)


@pytest.mark.parametrize(
    ("fields", "value", "limits"),
    [
        ({"hi": 4.25}, "4.2700", "≤ 4.2500"),
        ({"lo": 2.8, "uncertainty": 0.002}, "4.2700 ± 0.0020", "≥ 2.8000"),
        ({"value": 113.603, "unit": "ms", "lo": 100.0, "hi": 160.0, "uncertainty": 11.8645}, "113.6 ± 11.9",
         "100.0 … 160.0"),
        ({"value": 7.0, "unit": "1", "lo": 7, "hi": 7}, "7", "= 7"),
        ({"value": 1.0, "unit": "1", "lo": 1.0}, "yes", "yes"),
        ({"value": 1.0, "unit": "1", "hi": 0.0}, "yes", "no"),
        ({"value": None, "unit": "1"}, "–", "–"),  # noqa: RUF001  # the dash of what is missing
        ({"value": -0.00001}, "0.0000", "–"),  # noqa: RUF001  # the dash is meant
    ],
)  # fmt: skip
def test_value_and_limits_have_the_decimals_of_their_unit(fields: dict[str, Any], value: str, limits: str) -> None:
    assert (style.value(check(**fields)), style.limits(check(**fields))) == (value, limits)


@pytest.mark.parametrize("theme", list(THEMES.values()), ids=list(THEMES))
def test_verdicts_can_be_read_on_their_panel_and_are_not_red(theme: Any) -> None:
    colours = [style.find_verdict_colour(word, theme) for word in (*Verdict, style.RUNNING)]
    assert theme.red not in colours
    assert min(contrast(colour, theme.panel) for colour in colours) >= 4.0


@pytest.mark.usefixtures("qapp")
def test_every_verdict_has_a_symbol_of_its_own() -> None:
    pictures = [style.verdict_icon(word, "dark").pixmap(16, 16).toImage() for word in (*Verdict, style.RUNNING)]
    assert all(any(image.pixelColor(x, y).alpha() for x in range(16) for y in range(16)) for image in pictures)
    assert len({bytes(image.constBits()) for image in pictures}) == len(pictures)


def test_counts_are_told_in_one_order_whatever_the_file_has() -> None:
    assert (
        style.format_counts({Verdict.FAIL: 2, Verdict.BLOCKED: 0, Verdict.PASS: 55, Verdict.NA: 1})
        == "55 PASS, 2 FAIL, 1 N/A"
    )


def test_date_that_cannot_be_read_stands_as_it_is() -> None:
    assert style.format_time("yesterday") == "yesterday"
    assert style.format_time("2026-11-24T18:00:00Z").startswith("2026-11-2")


def test_trace_reads_as_a_store() -> None:
    trace = TraceHistory(CaseTrace("io/contactor", "1", (0.0, 0.1, 0.2), (1.0, None, 0.0)))
    assert trace.span == (0.0, 0.2)
    assert trace.newest_s == 0.2
    assert np.isnan(trace.at(0.15)["io/contactor"])
    assert trace.at(0.2)["io/contactor"] == 0.0
    times, values = trace.between(["io/contactor"], 0.0, 0.15)
    assert times.tolist() == [0.0, 0.1]
    assert values.shape == (1, 2)


def test_trace_takes_figures_that_no_device_says() -> None:
    trace = TraceHistory(CaseTrace("a", "1", (0.0, 0.1, 0.2, 0.3), (float("nan"), float("inf"), 2.0, None)))
    assert trace.taken == {2}
    thinned = TraceHistory(CaseTrace("a", "1", (0.0, 2.0), (0.0, 7.0)))
    assert thinned.taken == {0, 7}, "no value between them was recorded"
    assert (trace.first_from(0.15), trace.first_from(9.0)) == (0.2, 0.3)


def test_trace_without_rows_shows_nothing() -> None:
    trace = TraceHistory(CaseTrace("a", "V", (), ()))
    assert (trace.span, trace.taken, trace.first_from(1.0)) == ((0.0, 0.0), set(), 1.0)
    assert np.isnan(trace.newest_s)


def test_thinned_stretch_is_a_line_and_what_was_unknown_a_hole() -> None:
    t_s, values = fill_gaps(np.array([0.0, 2.0, 4.0, 4.1]), np.array([1.0, 3.0, np.nan, 5.0], dtype=np.float32))
    assert np.diff(t_s).max() <= APART_S + 1e-9
    assert set(t_s) >= {0.0, 2.0, 4.0, 4.1}
    assert values[t_s <= 2.0] == pytest.approx(1.0 + t_s[t_s <= 2.0])
    assert np.isnan(values[(t_s > 2.0) & (t_s < 4.1)]).all()
    assert values[-1] == 5.0


def test_flags_are_shown_in_the_words_of_the_bench() -> None:
    made = make_spec(CaseTrace("bms/fault", "1", (), ()), {"bms/fault": {0: "none", 3: "OVERTEMPERATURE"}})
    assert made.display.text(3.0) == "OVERTEMPERATURE"


def test_a_marked_instant_reads_what_was_sampled_then_and_a_long_word_stands_within(qtbot: QtBot) -> None:
    strips = CasePlots(THEMES["dark"])
    qtbot.addWidget(strips)
    trace = CaseTrace("bms/fault", "1", (0.0, 0.1, 0.2, 0.3), (0.0, 0.0, 7.0, None))
    words = {0: "NONE", 3: "OVERTEMPERATURE", 5: "X", 7: "OPEN_WIRE"}
    strips.show_case([trace], replace(facts(), words={"bms/fault": words}), "")
    (plot,) = strips.plots
    strips.resize(900, 200)
    strips.show()
    strips.show_check(check(unit="1", lo=1.0, at_s=0.17, channel="bms/fault"), None)
    strips.frame()
    assert [entry.value for entry in plot.header.entries] == ["OPEN_WIRE"]
    pixmap = QPixmap(10, 10)  # named: a painter keeps none alive
    painter = QPainter(pixmap)
    beside, within = ([word for _, word in plot.area._words(painter, short=short)] for short in (True, False))  # pyright: ignore[reportPrivateUsage]
    painter.end()
    assert (beside, within) == (["NONE"], ["OPEN_WIRE"])


@pytest.mark.usefixtures("qapp")
class TestAxis:
    def test_whole_case_fits(self) -> None:
        axis = CaseTimeView()
        axis.show_case(0.0, 2.56)
        assert axis.span_s == 3.0
        assert axis.right_s - axis.span_s <= 0.0
        assert axis.right_s >= 2.56

    def test_mark_shows_the_instant_its_window_and_what_began_it(self) -> None:
        axis = CaseTimeView()
        axis.show_case(0.0, 20.0)
        axis.mark(10.2, (10.1, 10.16), 10.0)
        left = axis.right_s - axis.span_s
        assert left <= 10.0
        assert axis.right_s >= 10.2
        assert axis.span_s < 1.0

    def test_mark_near_an_end_stays_within_the_case(self) -> None:
        axis = CaseTimeView()
        axis.show_case(0.0, 20.0)
        axis.mark(19.99)
        assert axis.right_s <= 20.3
        axis.mark(0.01)
        assert axis.right_s - axis.span_s >= -0.3

    def test_labels_stand_at_round_times(self) -> None:
        axis = CaseTimeView()
        axis.show_case(0.0, 20.0)
        axis.mark(10.237, None, 10.1)
        step = axis.span_s / 6.0
        assert axis.right_s / step == pytest.approx(round(axis.right_s / step))

    def test_zoom_keeps_the_marked_instant_in_sight_and_ends_somewhere(self) -> None:
        axis = CaseTimeView()
        axis.show_case(0.0, 20.0)
        axis.mark(3.3)
        for _ in range(30):
            axis.zoom(-1)
            assert axis.right_s - axis.span_s <= 3.3 <= axis.right_s
        assert axis.span_s == SPANS_S[0]
        for _ in range(30):
            axis.zoom(1)
        assert axis.span_s == SPANS_S[-1]


def test_window_of_a_time_hangs_on_what_began_it() -> None:
    window, since_s = window_of(check(unit="ms", value=210.0, lo=100.0, hi=160.0, at_s=0.49))
    assert since_s == pytest.approx(0.28)
    assert window == pytest.approx((0.38, 0.44))


def test_time_with_one_limit_has_a_window_that_is_open_at_the_other_end() -> None:
    window, _ = window_of(check(unit="s", value=2.0, lo=1.0, at_s=5.0))
    assert window == pytest.approx((4.0, float("inf")))
    assert window_of(check(unit="ms", value=None, at_s=5.0)) == (None, None)
    assert window_of(check(unit="V", at_s=5.0, hi=4.0)) == (None, None)


def test_own_limits_of_a_check_come_before_those_of_the_device() -> None:
    own = limits_of(check(hi=4.3), "cell_07/voltage", "V", facts())
    assert [(limit.level, limit.upper, limit.device) for limit in own] == [(4.3, True, False)]
    device = limits_of(check(unit="1", lo=1.0), "cell_07/voltage", "V", facts())
    assert [(limit.level, limit.upper) for limit in device] == [(2.8, False), (4.25, True)]
    assert limits_of(check(hi=4.3), "io/contactor", "1", facts()) == ()
    assert limits_of(check(hi=4.3), "cell_08/voltage", "V", None) == ()


def test_a_place_is_a_level_of_its_channel_and_a_yes_or_no_is_none() -> None:
    place = check(unit="1", lo=7, hi=7, channel="bms/fault_cell")
    assert [(limit.level, limit.exact) for limit in limits_of(place, "bms/fault_cell", "1", None)] == [(7.0, True)]
    assert limits_of(check(unit="1", lo=1.0, channel="bms/fault"), "bms/fault", "1", None) == ()
    (strip, flag) = svg_plots.make_strips(
        [CaseTrace(name, "1", (0.0, 1.0), (0.0, 9.0)) for name in ("bms/fault_cell", "bms/fault")],
        [place, check(unit="1", lo=1.0, channel="bms/fault")],
    )
    assert [words for _, words in strip.levels] == ["7"]
    assert flag.levels == []


def test_bench_is_emulated_only_where_every_instrument_is(tmp_path: Path) -> None:
    certifier = BenchCertifier(None)
    text = HIL24.read_text(encoding="utf-8")
    folder = shutil.copytree(HIL24.parent, tmp_path / "bench")
    partly = folder / "partly.toml"
    partly.write_text(text.replace('"emulated:supply"', '"192.0.2.7:5025"'), encoding="utf-8")
    assert [certifier.is_emulated(path) for path in (HIL24, partly)] == [True, False]
    broken = tmp_path / "broken.toml"
    broken.write_text("[bench", encoding="utf-8")
    for path in (broken, tmp_path / "absent.toml"):
        with pytest.raises(BenchFileError):
            certifier.is_emulated(path)
        with pytest.raises(BenchFileError):
            BenchCertifier(tmp_path).start(SUITES / "bms", path, ())
    assert not (tmp_path / "certificates").exists()


def test_page_brings_no_giants_into_the_window() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORTS],
        cwd=ROOT, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    modules = set(json.loads(done.stdout.splitlines()[-1]))
    assert "PySide6" in modules
    assert not modules & {"pytest", "_pytest", "casadi", "numba", "pyarrow", "scipy", "pandas", "jinja2", "pydantic"}
