"""The Fleet page over a broker of ours, a real fleet, and a pack that is a few lines of Sparkplug."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from PySide6.QtCore import QTimer

from edge_bridge import metrics
from edge_bridge.mqtt import LinkUp, MqttLink, MqttMessage
from edge_bridge.sparkplug import wire
from fixtures.broker import find_port
from tests.edge_bridge.fleet.pack import Pack
from workbench.session.actions import Failure
from workbench.window.fleet_page.backend import LocalFleetBackend
from workbench.window.fleet_page.bar import START_FLEET, FleetState
from workbench.window.fleet_page.connection import ConnectionStage
from workbench.window.fleet_page.page import FleetPage
from workbench.window.fleet_page.stepper import SENTENCES
from workbench.window.session_controller import SessionController
from workbench.window.widgets.themes import DARK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from edge_bridge.sparkplug.payload import Value

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]
LONG_MS: Final = 60_000
ROOT: Final = Path(__file__).resolve().parents[4]
DATA: Final = bytes(range(256)) * 200  # four pieces


class ServedPage:
    """A page with a session controller whose timer runs."""

    def __init__(self, root: Path, qtbot: QtBot) -> None:
        self._qtbot = qtbot
        self.session_controller, self.backend = SessionController(), LocalFleetBackend()
        self.page = FleetPage(self.session_controller, self.backend, root, DARK)
        self.failures = list[Failure]()
        self.page.connection.failed.connect(self.failures.append)
        self._timer = QTimer(self.page)
        self._timer.timeout.connect(self.session_controller.values_due)
        self._timer.start(30)
        qtbot.addWidget(self.page)
        self.page.show()

    def until(self, what: Callable[[], object]) -> None:
        self._qtbot.waitUntil(lambda: bool(what()), timeout=LONG_MS)

    def start(self) -> str:
        """A fleet of ours, connected to; return the address of its broker."""
        self.page.bar.start_fleet()
        self.until(lambda: self.page.bar.state is FleetState.CONNECTED)
        return self.page.connection.broker


class Talker:
    """A pack on a link of its own: answers the fleet's pieces as an edge would, and ends as a test asks."""

    def __init__(self, url: str, ends: str, reason: str = "") -> None:
        self.pack = Pack()
        self._ends, self._reason = ends, reason
        self._held = b""
        self._progress: dict[str, Value] = {}
        self._link = MqttLink(url, "talker", None, ["spBv1.0/pulsebms/NCMD/pack-1"])

    def turn(self) -> None:
        for event in self._link.poll():
            if isinstance(event, LinkUp):
                self._link.publish(self.pack.birth(_now_ms(), **self._progress))
            elif isinstance(event, MqttMessage):
                self._answer({str(one.name): one.value for one in wire.decode(event.payload).metrics})

    def say(self, number: int, **values: float) -> None:
        row: dict[str, Value] = {"Row/Boot": self.pack.boot, "Row/Seq": number}
        row |= {name.replace("_", "/"): value for name, value in values.items()}
        self._link.publish(self.pack.data(row, _now_ms()))

    def _answer(self, received: dict[str, Value]) -> None:
        if received.get(metrics.REBIRTH) is True:
            self._link.publish(self.pack.birth(_now_ms(), **self._progress))
        if metrics.CHUNK not in received:
            return
        if received[metrics.OFFSET] == len(self._held):
            chunk = received[metrics.CHUNK]
            assert isinstance(chunk, bytes)
            self._held += chunk
        whole = len(self._held) == received[metrics.SIZE]
        progress: dict[str, Value] = {"Bundle/Desired": received[metrics.DESIRED], "Bundle/Received": len(self._held)}
        progress["Bundle/State"] = "desired"
        self._link.publish(self.pack.data(progress, _now_ms()))
        if whole:
            for state in ("downloaded", "verified", self._ends):
                end = {"Bundle/State": state, "Bundle/Reason": self._reason if state == self._ends else ""}
                self._link.publish(self.pack.data(progress | end, _now_ms()))

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self._held).hexdigest()

    def close(self) -> None:
        self._link.close()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def served(tmp_path: Path, qtbot: QtBot) -> Iterator[ServedPage]:
    made = ServedPage(tmp_path, qtbot)
    yield made
    made.page.connection.close()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith(("fleet", "mqtt"))]


@pytest.fixture
def talk(served: ServedPage) -> Iterator[Callable[..., Talker]]:
    """Makes packs that are served by the page's own event loop."""
    made, timer = list[Talker](), QTimer()
    timer.timeout.connect(lambda: [one.turn() for one in made])
    timer.start(20)

    def talker(url: str, ends: str = "healthy", reason: str = "") -> Talker:
        made.append(Talker(url, ends, reason))
        return made[-1]

    yield talker
    timer.stop()
    for one in made:
        one.close()


def test_pack_appears_with_its_figures_and_a_trend(served: ServedPage, talk: Callable[..., Talker]) -> None:
    page = served.page
    talker = talk(served.start())
    served.until(lambda: page.table.packs.names == ["pack-1"])
    numbers = iter(range(1, 10_000))

    def shown() -> bool:
        talker.say(next(numbers), Pack_Current=-22.0, Pack_SoC=0.5)
        return page.node is not None and page.node.rows > 5 and page.table.packs.rows[0][6].text.endswith("22.00 A")

    served.until(shown)
    cells = page.table.packs.rows[0]
    assert (cells[1].text, cells[6].grey) == ("online", False)
    assert page.trends["pack-1"].newest("Pack/SoC") == pytest.approx(0.5)
    assert page.detail.plots[0].header.entries[0].value == page.table.packs.rows[0][6].text


@pytest.mark.parametrize(
    "end",
    [
        ("healthy", "", SENTENCES["healthy"]),
        ("refused", "has serial 5, older than 7", "has serial 5, older than 7"),
        ("reverted", "its estimator fell behind", SENTENCES["reverted"]),
    ],
)
def test_bundle_is_followed_to_its_end(
    served: ServedPage, talk: Callable[..., Talker], tmp_path: Path, end: tuple[str, str, str]
) -> None:
    state, reason, words = end
    file = tmp_path / "hil24-7.bundle"
    file.write_bytes(DATA)
    page = served.page
    talker = talk(served.start(), state, reason)
    served.until(lambda: page.node is not None and page.node.online)
    page.send(file, "pack-1")
    served.until(lambda: words in page.detail.stepper.sentence.text())
    assert talker.sha256 == hashlib.sha256(DATA).hexdigest()
    assert page.detail.stepper.head.text() == f"Bundle {talker.sha256[:12]}"
    served.until(lambda: page.detail.stepper.percent.text() == "100 %")  # the host tells it a moment later


def test_broker_that_is_killed_is_told_and_comes_back_where_it_was(
    served: ServedPage, talk: Callable[..., Talker]
) -> None:
    page, url = served.page, served.start()
    talk(url)
    served.until(lambda: page.node is not None and page.node.online)
    broker = served.backend._broker  # pyright: ignore[reportPrivateUsage]
    assert broker is not None
    os.kill(broker.pid, 9)  # type: ignore[attr-defined]
    served.until(lambda: page.bar.state is FleetState.NO_BROKER)
    assert page.node is not None
    assert not page.node.online
    assert page.connection.view is not None
    assert page.connection.view.outage_s > 0.0
    served.until(lambda: not page.connection.own_fleet and page.bar.own.text() == START_FLEET)
    page.bar.start_fleet()
    served.until(lambda: page.bar.state is FleetState.CONNECTED and page.node is not None and page.node.online)
    assert broker.url == url
    assert page.connection.stage is ConnectionStage.OPEN


def test_file_that_is_no_fleets_is_refused_in_words(served: ServedPage, tmp_path: Path) -> None:
    odd = tmp_path / "odd.sqlite"
    odd.write_bytes(b"not a database at all" * 100)
    served.page.bar.choose_file(odd)
    served.page.bar.start_fleet()
    served.until(lambda: served.failures)
    assert "odd.sqlite" in served.failures[0].sentence
    assert served.page.connection.stage is ConnectionStage.CLOSED


def test_address_that_is_none_is_refused_in_words(served: ServedPage) -> None:
    served.page.bar.url.setText("mqtt://127.0.0.1:1883")
    served.page.connect_or_leave()
    served.until(lambda: served.failures)
    assert "mqtt://127.0.0.1:1883" in served.failures[0].sentence
    assert "http://HOST:PORT" in served.failures[0].hint


def test_address_without_a_fleet_is_told_in_words(served: ServedPage) -> None:
    served.page.bar.url.setText(f"http://127.0.0.1:{find_port()}")
    served.page.connect_or_leave()
    served.until(lambda: served.failures)
    assert "No API of a fleet answers" in served.failures[0].sentence
    assert served.page.connection.stage is ConnectionStage.CLOSED


def test_host_that_is_killed_is_told_and_comes_back_where_it_was(
    served: ServedPage, talk: Callable[..., Talker]
) -> None:
    page, broker = served.page, served.start()
    talker = talk(broker)
    served.until(lambda: page.node is not None and page.node.online)
    fleet, address = served.backend._fleet, page.bar.url.text()  # pyright: ignore[reportPrivateUsage]
    os.kill(fleet.pid, 9)  # type: ignore[union-attr]
    served.until(lambda: page.bar.state is FleetState.NO_ANSWER)
    assert page.node is not None
    assert (page.node.online, page.node.is_known) == (False, False)
    assert page.table.packs.names == ["pack-1"]
    served.until(lambda: page.bar.own.text() == START_FLEET)
    page.bar.start_fleet()
    served.until(lambda: page.bar.state is FleetState.CONNECTED and page.node is not None and page.node.online)
    assert (page.bar.url.text(), page.connection.broker) == (address, broker)
    talker.say(1, Pack_Current=-22.0)
    served.until(lambda: page.node is not None and page.node.rows == 1)


def test_garbage_from_a_stranger_is_counted_by_name(served: ServedPage, talk: Callable[..., Talker]) -> None:
    page, url = served.page, served.start()
    talk(url)
    served.until(lambda: page.node is not None)
    stranger = MqttLink(url, "stranger")
    served.until(lambda: stranger.poll() or stranger.is_up)
    stranger.publish(MqttMessage("spBv1.0/pulsebms/NDATA/pack-1", b"\xff\xff noise"))
    served.until(page.detail.counters.topLevelItemCount)
    item = page.detail.counters.topLevelItem(0)
    stranger.close()
    assert item is not None
    assert (item.text(0), item.text(2)) == ("refused", "1")
    assert page.node is not None
    assert page.node.online


def test_window_knows_neither_mqtt_nor_keys_until_they_are_used() -> None:
    code = "import json, sys, workbench.window.window; print(json.dumps([n.split('.')[0] for n in sys.modules]))"
    done = subprocess.run(  # our own interpreter
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    heavy = {"fastapi", "uvicorn", "sqlalchemy", "websockets"}
    assert not heavy & set(json.loads(done.stdout))
    assert not {"paho", "google", "cryptography", "casadi", "numba", "pyarrow"} & set(json.loads(done.stdout))
