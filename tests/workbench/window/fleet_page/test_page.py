"""What the Fleet page shows of the packs, over a backend that a test drives."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from edge_bridge.fleet.bundle_transfer import TransferProgress
from edge_bridge.fleet.view import NodeView, mark_unknown
from tests.workbench.hands import CTRL, SHIFT, nameless, press, write
from tests.workbench.window.fleet_page.fake_backend import FILE, NOW_MS, SHA, STATUS, FakeFleetBackend, Kit, pack
from workbench.window.fleet_page.bar import FleetState
from workbench.window.fleet_page.connection import ConnectionStage
from workbench.window.fleet_page.counters import MEANING
from workbench.window.fleet_page.detail import NONE_COUNTED, OFFLINE
from workbench.window.fleet_page.page import CONNECT_COMMAND, DISCONNECT_COMMAND
from workbench.window.fleet_page.table_row import COLUMNS
from workbench.window.widgets import format as fmt
from workbench.window.widgets.themes import LIGHT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest
    from pytestqt.qtbot import QtBot

    from edge_bridge.metrics import Scalar
    from tests.workbench.conftest import Shown


def test_first_pack_is_chosen_and_figures_change_in_place(kit: Kit) -> None:
    kit.connect()
    other = replace(pack(), node="pack-2")
    kit.say(pack(), other)
    assert kit.page.table.selected_pack == "pack-1"
    kit.page.table.choose("pack-2")
    resets = list[int]()
    kit.page.table.packs.modelReset.connect(lambda: resets.append(1))
    kit.say(pack(), replace(other, rows=99))
    assert resets == []
    assert kit.page.table.packs.rows[1][11].text == "99"
    kit.say(replace(pack(), node="pack-0"), pack(), other)  # a pack joins above
    assert resets == [1]
    assert kit.page.table.selected_pack == "pack-2"


def test_filter_leaves_the_packs_that_have_all_words(kit: Kit) -> None:
    kit.connect()
    kit.say(pack(), replace(pack(online=False), node="pack-2"))
    write(kit.page.bar.filter, "offline hil24")
    assert kit.page.table.packs.names == ["pack-2"]
    write(kit.page.bar.filter, " nothing")
    assert kit.page.table.packs.names == []
    assert not kit.page.detail.isVisible()
    kit.page.bar.filter.clear()
    assert kit.page.table.packs.names == ["pack-1", "pack-2"]


def test_detail_draws_what_the_pack_has_said(kit: Kit) -> None:
    kit.connect()
    for soc in (0.60, 0.61):
        kit.say(pack(Pack_SoC=soc))
    plot = kit.page.detail.plots[2]
    assert plot.canvas.store is kit.page.trends["pack-1"]
    assert [entry.value for entry in plot.header.entries] == ["61.0 ±1.4 %"]
    assert kit.page.detail.word.text() == ""


def test_trend_goes_on_while_another_page_is_shown(kit: Kit) -> None:
    kit.connect()
    kit.say(pack())
    kit.page.hide()
    before = len(kit.page.trends["pack-1"].t_s)
    kit.say(pack())
    assert len(kit.page.trends["pack-1"].t_s) == before + 1


def test_stale_pack_says_how_old_its_figures_are(kit: Kit) -> None:
    kit.connect()
    kit.say(pack(42.0))
    assert fmt.age(42.0) in kit.page.detail.word.text()
    kit.say(pack(online=False))
    assert OFFLINE in kit.page.detail.word.text()


def test_counters_are_named_and_counted(kit: Kit) -> None:
    kit.connect()
    kit.say(pack())
    detail = kit.page.detail
    assert detail.counted.fact.text() == NONE_COUNTED
    assert not detail.counters.isVisible()
    kit.say(pack(), refused={"out_of_order": 3, "conflict": 0}, flagged={"a_new_one": 1_234})
    rows = [detail.counters.topLevelItem(number) for number in range(detail.counters.topLevelItemCount())]
    assert [[row.text(column) for column in range(3)] for row in rows if row is not None] == [
        ["refused", MEANING["out_of_order"], "3"],
        ["flagged", "a new one", "1\u202f234"],
    ]


def test_a_fleet_that_refuses_a_person_answers_and_says_why(kit: Kit) -> None:
    kit.connect()
    kit.backend.fleet.silence, kit.backend.fleet.is_refused = (12.0, "you are not signed in"), True
    kit.say(pack())
    assert kit.page.bar.state is FleetState.REFUSED
    assert kit.page.bar.word.text() == "REFUSED"
    assert kit.page.bar.text.toolTip().endswith("You are not signed in.") or "You are not" in kit.page.bar.text.text()


def test_tripped_packs_are_counted_in_the_bar(kit: Kit) -> None:
    kit.connect()
    kit.say(pack())
    assert "tripped" not in kit.page.bar.text.text()
    kit.say(pack(Gate_Verdict="tripped"))
    assert "1 tripped" in kit.page.bar.text.text()


def test_another_theme_keeps_the_pack_and_its_bundle(kit: Kit) -> None:
    kit.connect()
    kit.say(replace(pack(), sending=TransferProgress("pack-1", SHA, 10, 10, "reverted", "it tripped")))
    kit.page.set_theme(LIGHT)
    assert kit.page.table.selected_pack == "pack-1"
    assert LIGHT.amber in kit.page.detail.stepper.sentence.styleSheet()
    foreground = kit.page.table.packs.data(kit.page.table.packs.index(0, 0), Qt.ItemDataRole.ForegroundRole)
    assert foreground.name() == LIGHT.text


def test_everything_of_both_pages_is_in_the_palette(
    show: Callable[..., Shown], monkeypatch: pytest.MonkeyPatch, qtbot: QtBot, tmp_path: Path
) -> None:
    backend = FakeFleetBackend()
    monkeypatch.setattr("workbench.window.window.LocalFleetBackend", lambda: backend)
    shown = show()
    fleet = shown.window.fleet
    fleet.bar.choose_file(tmp_path / "fleet.sqlite")
    names = {command.name for command in shown.window.commands.list()}
    assert {"bundle build", "bundle key", "fleet connect", "fleet start", "fleet send"} <= names
    assert shown.window.commands.commands["fleet connect"].words() == CONNECT_COMMAND
    press(shown, Qt.Key.Key_F, CTRL | SHIFT)
    qtbot.waitUntil(lambda: fleet.connection.stage is ConnectionStage.OPEN)
    assert shown.window.commands.commands["fleet connect"].words() == DISCONNECT_COMMAND
    shown.window.show_page("Fleet")
    press(shown, Qt.Key.Key_F, CTRL)
    assert fleet.bar.filter.hasFocus()
    shown.shell.leave()
    assert backend.asked[-1] == "close"


def test_many_packs_are_shown_and_only_some_are_followed(kit: Kit) -> None:
    kit.connect()
    status: dict[str, Scalar] = dict(STATUS)
    kit.say(*(NodeView(f"pack-{n:04d}", online=True, rows=n, last_ms=round(NOW_MS), status=status) for n in range(150)))
    assert len(kit.page.table.packs.rows) == 150
    assert len(kit.page.trends) == 100
    kit.page.table.choose("pack-0140")
    kit.say(*kit.backend.fleet.view.nodes)
    assert kit.page.detail.plots[0].canvas.store is kit.page.trends["pack-0140"]


def test_everything_that_can_have_the_focus_has_a_name(kit: Kit) -> None:
    kit.connect()
    kit.say(pack(), refused={"conflict": 1})
    kit.page.offer(FILE)
    assert nameless(kit.page) == []


def test_nothing_usual_is_cut_on_a_laptop(show: Callable[..., Shown], monkeypatch: pytest.MonkeyPatch) -> None:
    backend = FakeFleetBackend()
    monkeypatch.setattr("workbench.window.window.LocalFleetBackend", lambda: backend)
    window = show(size=(1366, 768)).window
    window.show_page("Fleet")
    table = window.fleet.table
    window.fleet.split.show()
    usual = replace(pack(12.0, Bundle_Serial=20_261_124_182_939, Pack_Current=-22.0, Outbox_Depth=12), rows=99_999)
    old = replace(usual, node="hamburg-0007", online=False, last_ms=round(NOW_MS - 5_400_000))
    table.packs.show_nodes([usual, old, mark_unknown(usual)], NOW_MS)
    QApplication.processEvents()
    assert [column.head for n, column in enumerate(COLUMNS) if table.isColumnHidden(n)] == ["Hash"]
    whole = [n for n, column in enumerate(COLUMNS) if not column.wide and not table.isColumnHidden(n)]
    assert [COLUMNS[n].head for n in whole if table.sizeHintForColumn(n) > table.columnWidth(n)] == []


def test_many_packs_get_more_room_until_a_person_moves_the_handle(kit: Kit) -> None:
    kit.connect()
    kit.say(pack())
    few_px = kit.page.split.sizes()[0]
    kit.say(*(replace(pack(), node=f"pack-{n}") for n in range(50)))
    many_px = kit.page.split.sizes()[0]
    assert few_px < many_px <= kit.page.split.height() // 2
    kit.page.split.splitterMoved.emit(150, 1)
    kit.page.split.setSizes([150, kit.page.split.height() - 150])
    moved = kit.page.split.sizes()
    kit.say(*(replace(pack(), node=f"pack-{n}") for n in range(80)))
    assert kit.page.split.sizes() == moved
