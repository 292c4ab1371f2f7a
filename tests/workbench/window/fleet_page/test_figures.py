"""A pack in words and figures, a bundle's way in steps, a trend in rows: without a window."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edge_bridge.fleet.bundle_transfer import TransferProgress
from edge_bridge.fleet.view import NodeView
from tests.workbench.window.fleet_page.fake_backend import NOW_MS, SHA, pack
from workbench.window.fleet_page.stepper import STEPS, UpdateProgress, find_progress, symbols
from workbench.window.fleet_page.table_row import COLUMNS, STALE_S, TableCell, make_row
from workbench.window.fleet_page.trend import ROWS, PackTrend
from workbench.window.widgets import format as fmt


def row(node: NodeView) -> dict[str, TableCell]:
    return dict(zip((column.head for column in COLUMNS), make_row(node, NOW_MS), strict=True))


def test_row_says_what_the_pack_says() -> None:
    cells = {head: cell.text for head, cell in row(pack()).items()}
    assert cells == {
        "Pack": "pack-1", "State": "online", "Runs": "hil24 7", "Hash": "abababababab", "Class": "SIM", "Gate": "held",
        "Current": f"{fmt.MINUS}22.00 A", "Voltage": "93.75 V", "SoC": "63.2 ±1.4 %", "Cells": "3.881 … 3.905 V",
        "Hottest": "25.1 °C", "Rows": fmt.count(1_234), "Waiting": fmt.count(12_345), "Newest": "0.2 s",
    }  # fmt: skip


def test_missing_values_are_dashes_and_never_zero() -> None:
    cells = row(NodeView("pack-2", online=True, rows=0, last_ms=None, status={}))
    for head in ("Runs", "Hash", "Class", "Gate", "Current", "Voltage", "SoC", "Cells", "Hottest", "Waiting", "Newest"):
        assert cells[head].text == fmt.DASH, head


def test_null_in_place_of_a_figure_is_a_dash() -> None:
    assert row(pack(Pack_Current=None))["Current"].text == fmt.DASH
    assert row(pack(Outbox_Depth=None))["Waiting"].text == fmt.DASH


@pytest.mark.parametrize(("age_s", "grey"), [(0.0, False), (STALE_S, False), (STALE_S + 0.1, True), (None, True)])
def test_old_figures_are_grey(age_s: float | None, grey: bool) -> None:  # noqa: FBT001  # a table of cases
    assert row(pack(age_s))["Voltage"].grey is grey


def test_old_figures_tell_their_age() -> None:
    assert fmt.age(90.0) in row(pack(90.0))["Voltage"].tip
    assert row(pack(90.0))["Newest"].text == fmt.age(90.0)


def test_pack_that_is_offline_is_grey_however_new_its_row_is() -> None:
    cells = row(pack(online=False))
    assert (cells["State"].text, cells["State"].symbol) == ("offline", "ring")
    assert all(cells[head].grey for head in ("State", "Runs", "Class", "Gate", "Current", "Cells"))


def test_clock_of_a_pack_that_is_ahead_makes_no_negative_age() -> None:
    assert row(pack(-30.0))["Newest"].text == "0.0 s"


def test_red_belongs_to_trips_alone() -> None:
    colours = {verdict: row(pack(Gate_Verdict=verdict))["Gate"].colour for verdict in ("allowed", "held", "tripped")}
    assert colours == {"allowed": "green", "held": "amber", "tripped": "alarm"}
    assert row(pack(Bundle_Evidence="SIM"))["Class"].colour == "amber"


def test_unknown_word_is_shown_as_it_came() -> None:
    assert row(pack(Gate_Verdict="odd"))["Gate"].text == "odd"


# ---- the way of a bundle


def marks(state: str, fraction: float | None = 1.0) -> str:
    """A letter a step: done, under way, later, wrong."""
    letters = {"ok": "d", "play": "n", "ring": "-", "cross": "x"}
    return "".join(letters[symbol] for symbol, _ in symbols(UpdateProgress(SHA, state, fraction=fraction)))


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("", "-----"), ("waiting", "n----"), ("desired", "dn---"), ("downloaded", "ddn--"), ("verified", "dddn-"),
        ("installed", "ddddn"), ("healthy", "ddddd"), ("refused", "ddx--"), ("reverted", "ddddx"),
        ("replaced", "-----"),
        ("a word of tomorrow", "n----"),
    ],
)  # fmt: skip
def test_steps_follow_the_state(state: str, shown: str) -> None:
    assert marks(state) == shown
    assert len(shown) == len(STEPS)


def test_bundle_that_never_arrived_is_refused_at_its_download() -> None:
    assert marks("refused", 0.4) == "dx---"


def test_reason_is_a_sentence_beside_the_state() -> None:
    way = UpdateProgress(SHA, "refused", "has serial 5, older than 7")
    assert way.sentence == f"{UpdateProgress(SHA, 'refused').sentence} Reason: {way.reason}."
    assert "golden vectors differ" in UpdateProgress(SHA, "reverted", "golden vectors differ").sentence


def test_what_is_sent_here_stands_above_what_the_pack_says() -> None:
    status = {"Bundle/Desired": "cd" * 32, "Bundle/State": "refused"}
    sent = NodeView("pack-1", online=True, rows=0, last_ms=None, status=status, sending=_progress())
    assert find_progress(sent) == UpdateProgress(SHA, "desired", fraction=0.25)
    alone = NodeView("pack-1", online=True, rows=0, last_ms=None, status=status)
    assert find_progress(alone) == UpdateProgress("cd" * 32, "refused")
    assert find_progress(NodeView("pack-1", online=True, rows=0, last_ms=None, status={})) == UpdateProgress("", "")


def _progress() -> TransferProgress:
    return TransferProgress("pack-1", SHA, 1_000, 250, "desired", "")


# ---- the trend


def test_trend_keeps_the_newest_two_minutes_in_order() -> None:
    trend = PackTrend()
    for look in range(3 * ROWS):
        trend.append_status(pack(Pack_Current=float(look)), NOW_MS, 0.1 * look)
    assert len(trend.t_s) == ROWS
    assert (np.diff(trend.t_s) > 0.0).all()
    assert trend.newest("Pack/Current") == 3 * ROWS - 1
    assert trend.line("Pack/Current")[0] == 2 * ROWS


def test_window_that_was_busy_makes_no_hole_in_a_trend() -> None:
    trend = PackTrend()
    for t_s in (0.0, 2.0):
        trend.append_status(pack(), NOW_MS, t_s)
    assert np.diff(trend.t_s).max() < 0.6
    assert np.isfinite(trend.line("Pack/SoC")).all()
    assert trend.newest_s == 2.0


def test_trend_has_a_hole_where_the_pack_is_silent() -> None:
    trend = PackTrend()
    for look, age_s in enumerate((0.1, STALE_S + 1.0, 0.1)):
        trend.append_status(pack(age_s), NOW_MS, float(look))
    times = trend.t_s.searchsorted((0.0, 1.0, 2.0))
    assert [math.isnan(value) for value in trend.line("Pack/SoC")[times].tolist()] == [False, True, False]
