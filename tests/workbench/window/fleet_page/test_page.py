"""The Fleet page over a backend that a test drives."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from drivers.errors import BrokerMissing, PulseError, Usage
from edge_bridge.fleet.bundle_transfer import TransferProgress
from edge_bridge.fleet.view import NodeView, mark_unknown
from tests.workbench.hands import CTRL, SHIFT, click, key, nameless, press, write
from tests.workbench.window.fleet_page.fake_backend import FILE, NOW_MS, SHA, STATUS, URL, FakeFleetBackend, Kit, pack
from workbench.window.failures import make_sentence
from workbench.window.fleet_page.bar import (
    DISCONNECT,
    FILE_IN_USE,
    LOOPBACK,
    NO_ADDRESS,
    NO_FILE,
    START_FLEET,
    STARTING,
    STOP_FLEET,
    FleetState,
)
from workbench.window.fleet_page.connection import HUB, WAITS, ConnectionStage
from workbench.window.fleet_page.counters import MEANING
from workbench.window.fleet_page.detail import NONE_COUNTED, OFFLINE, UNKNOWN
from workbench.window.fleet_page.page import CONNECT_COMMAND, DISCONNECT_COMMAND, SILENT
from workbench.window.fleet_page.table_row import COLUMNS
from workbench.window.widgets import format as fmt
from workbench.window.widgets.themes import DARK, LIGHT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from edge_bridge.metrics import Scalar
    from tests.workbench.conftest import Shown


@pytest.fixture
def kit(qtbot: QtBot) -> Iterator[Kit]:
    made = Kit(qtbot)
    yield made
    made.backend.go.set()
    made.page.connection.close()


def test_page_that_is_apart_says_what_would_fill_it(kit: Kit) -> None:
    assert kit.page.not_connected.isVisible()
    assert kit.page.not_connected.button.text() == START_FLEET
    assert kit.page.bar.state is FleetState.NOT_CONNECTED
    assert kit.page.bar.word.text() == FleetState.NOT_CONNECTED
    assert not kit.page.split.isVisible()


def test_connects_to_the_fleet_that_is_written(kit: Kit) -> None:
    kit.page.bar.url.clear()
    assert kit.page.bar.connect_.toolTip() == NO_ADDRESS
    write(kit.page.bar.url, URL)
    key(kit.page.bar.url, Qt.Key.Key_Return)
    assert kit.page.bar.state is FleetState.CONNECTING
    kit.until(lambda: kit.page.bar.state is FleetState.CONNECTED)
    assert kit.backend.asked == [("open", URL)]
    assert kit.page.bar.connect_.text() == DISCONNECT
    assert not kit.page.bar.url.isEnabled()
    assert kit.page.no_pack.isVisible()


def test_started_fleet_is_connected_to(kit: Kit) -> None:
    click(kit.page.not_connected.button)
    assert kit.page.bar.own.text() == STARTING
    kit.until(lambda: kit.page.connection.view is not None)
    assert kit.backend.asked == [("start", Path("/runs/fleet.sqlite")), ("open", URL)]
    assert kit.page.bar.url.text() == URL
    assert kit.page.bar.own.text() == STOP_FLEET


def test_fleet_of_ours_that_dies_can_be_started_again(kit: Kit) -> None:
    click(kit.page.bar.own)
    kit.until(lambda: kit.page.connection.view is not None)
    kit.backend.fleet_runs = False
    kit.until(lambda: kit.page.bar.own.text() == START_FLEET)
    assert kit.page.bar.own.isEnabled()
    click(kit.page.bar.own)
    kit.until(
        lambda: (
            kit.backend.asked.count(("start", Path("/runs/fleet.sqlite"))) == 2
            and kit.page.bar.own.text() == STOP_FLEET
        )
    )
    assert kit.page.connection.stage is ConnectionStage.OPEN  # it finds its fleet again by itself


def test_window_goes_on_while_a_connection_is_opened(kit: Kit) -> None:
    kit.backend.go.clear()
    click(kit.page.bar.connect_)
    for _ in range(3):
        kit.session_controller.values_due.emit()
    assert kit.page.bar.state is FleetState.CONNECTING
    assert kit.page.bar.connect_.toolTip() == WAITS[ConnectionStage.OPENING]
    kit.backend.go.set()
    kit.until(lambda: kit.page.bar.state is FleetState.CONNECTED)


@pytest.mark.parametrize(
    "trouble",
    [
        Usage("is not a fleet's file", where="fleet.sqlite", hint="name another file"),
        PermissionError(13, "Permission denied"),
    ],
)
def test_connection_that_fails_says_why_and_can_be_tried_again(kit: Kit, trouble: Exception) -> None:
    kit.backend.trouble = trouble
    click(kit.page.bar.connect_)
    kit.until(lambda: bool(kit.failures))
    assert str(trouble.args[-1]) in kit.failures[0].sentence
    assert kit.page.connection.stage is ConnectionStage.CLOSED
    kit.backend.trouble = None
    kit.connect()


def test_machine_without_a_broker_says_so(kit: Kit) -> None:
    kit.backend.trouble = error = BrokerMissing("this machine has no MQTT broker", hint="install mosquitto")
    click(kit.page.bar.own)
    kit.until(lambda: bool(kit.failures))
    assert kit.failures[0].hint == make_sentence(error.hint)
    assert kit.page.bar.own.isEnabled()


def test_fleet_that_stops_is_closed_with_its_reason(kit: Kit) -> None:
    kit.connect()
    kit.say(pack())
    kit.backend.fleet.broken = error = PulseError("the fleet has stopped: disk I/O error")
    kit.until(lambda: kit.page.connection.stage is ConnectionStage.CLOSED)
    assert [failure.sentence for failure in kit.failures] == [make_sentence(error.sentence)]
    assert kit.page.table.packs.rows == []
    assert "leave" in kit.backend.asked


def test_disconnecting_forgets_the_packs_and_keeps_our_fleet(kit: Kit) -> None:
    click(kit.page.bar.own)
    kit.until(lambda: kit.page.connection.view is not None)
    kit.say(pack())
    click(kit.page.bar.connect_)
    kit.until(lambda: kit.page.connection.stage is ConnectionStage.CLOSED)
    assert kit.page.table.packs.rows == []
    assert not kit.page.detail.isVisible()
    assert kit.backend.asked[-1] == "leave"
    assert kit.backend.fleet_runs


def test_outage_is_told_with_its_length(kit: Kit) -> None:
    kit.connect()
    trouble = "the broker has gone"
    kit.say(pack(online=False), connected=False, trouble=trouble, outage_s=12.4)
    assert kit.page.bar.state is FleetState.NO_BROKER
    assert DARK.amber in kit.page.bar.word.styleSheet()
    assert trouble in kit.page.bar.text.text()
    assert fmt.age(12.4) in kit.page.bar.text.text()


def test_fleet_that_does_not_answer_is_told_and_what_was_known_stays_grey(kit: Kit) -> None:
    kit.connect()
    kit.say(pack())
    kit.backend.fleet.silence = 12.4, "Connection refused"
    kit.say(pack())
    bar, row = kit.page.bar, kit.page.table.packs.rows[0]
    assert bar.state is FleetState.NO_ANSWER
    assert DARK.amber in bar.word.styleSheet()
    assert fmt.age(12.4) in bar.text.text()
    assert "Connection refused" in bar.text.text()
    assert (row[1].text, row[7].text) == ("unknown", "93.75 V")
    assert all(cell.grey for cell in row[1:])
    assert fmt.age(0.2) in row[7].tip
    assert UNKNOWN in kit.page.detail.word.text()
    assert kit.page.why_not_send() == SILENT
    assert np.isnan(kit.page.trends["pack-1"].newest("Pack/SoC"))
    kit.backend.fleet.silence = 0.0, ""
    kit.say(pack())
    assert bar.state is FleetState.CONNECTED
    assert (kit.page.table.packs.rows[0][1].text, kit.page.why_not_send()) == ("online", "")


def test_store_that_takes_nothing_is_trouble(kit: Kit) -> None:
    kit.connect()
    kit.say(pack(), trouble="the store takes nothing: disk full")
    assert kit.page.bar.state is FleetState.TROUBLE


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


def test_who_reaches_our_own_fleet_is_said(kit: Kit) -> None:
    assert kit.page.bar.reach.text() == LOOPBACK
    assert kit.page.bar.reach.isVisible()
    kit.connect()
    assert not kit.page.bar.reach.isVisible(), "it says nothing of a fleet elsewhere, and the state needs the room"


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


def test_closing_leaves_and_ends_the_thread(kit: Kit) -> None:
    kit.connect()
    kit.page.connection.close()
    kit.page.connection.close()
    assert kit.backend.asked[-1] == "close"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(HUB)]


def test_closing_while_a_connection_is_opened_closes_what_was_opened(kit: Kit) -> None:
    kit.backend.go.clear()
    click(kit.page.bar.connect_)
    threading.Timer(0.05, kit.backend.go.set).start()
    kit.page.connection.close()
    assert kit.backend.asked[-1] == "close"


def test_window_without_a_folder_asks_for_a_file(qtbot: QtBot) -> None:
    kit = Kit(qtbot, root=None)
    for part in (kit.page.bar.own, kit.page.not_connected.button):
        assert not part.isEnabled()
        assert part.toolTip() == NO_FILE
    kit.page.bar.choose_file(Path("/elsewhere/fleet.sqlite"))
    click(kit.page.bar.own)
    kit.until(lambda: kit.page.connection.view is not None)
    assert kit.backend.asked == [("start", Path("/elsewhere/fleet.sqlite")), ("open", URL)]
    assert kit.page.bar.why_no_other_file() == FILE_IN_USE
    assert not kit.page.bar.other.isEnabled()
    kit.page.connection.close()


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
