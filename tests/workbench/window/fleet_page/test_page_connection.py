"""The connection of the Fleet page: made, refused, lost and closed, over a backend that a test drives."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt

from drivers.errors import BrokerMissing, PulseError, Usage
from tests.workbench.hands import click, key, write
from tests.workbench.window.fleet_page.fake_backend import URL, Kit, pack
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
from workbench.window.fleet_page.detail import UNKNOWN
from workbench.window.fleet_page.page import SILENT
from workbench.window.widgets import format as fmt
from workbench.window.widgets.themes import DARK

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


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


def test_who_reaches_our_own_fleet_is_said(kit: Kit) -> None:
    assert kit.page.bar.reach.text() == LOOPBACK
    assert kit.page.bar.reach.isVisible()
    kit.connect()
    assert not kit.page.bar.reach.isVisible(), "it says nothing of a fleet elsewhere, and the state needs the room"


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
