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

from edge_bridge.fleet import commands
from edge_bridge.mqtt import LinkUp, MqttLink, MqttMessage
from edge_bridge.sparkplug import wire
from tests.edge_bridge.fleet.pack import Pack
from workbench.session.actions import Failure
from workbench.window.fleet_page.backend import LocalFleetBackend
from workbench.window.fleet_page.connection import ConnectionStage
from workbench.window.fleet_page.page import FleetPage
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


class Desked:
    """A page with a desk whose timer runs."""

    def __init__(self, root: Path, qtbot: QtBot) -> None:
        self._qtbot = qtbot
        self.desk, self.hub = SessionController(), LocalFleetBackend()
        self.page = FleetPage(self.desk, self.hub, root, DARK)
        self.failures = list[Failure]()
        self.page.connection.failed.connect(self.failures.append)
        self._timer = QTimer(self.page)
        self._timer.timeout.connect(self.desk.values_due)
        self._timer.start(30)
        qtbot.addWidget(self.page)
        self.page.show()

    def until(self, what: Callable[[], object]) -> None:
        self._qtbot.waitUntil(lambda: bool(what()), timeout=LONG_MS)

    def start(self) -> str:
        """A broker of ours, connected to."""
        self.page.connection.start_broker()
        self.until(lambda: self.page.bar.word.text() == "CONNECTED")
        return self.page.bar.url.text()


class Talker:
    """A pack on a link of its own: answers the fleet's pieces as an edge would, and ends as it is told to."""

    def __init__(self, url: str, ends: str, reason: str = "") -> None:
        self.pack = Pack()
        self._ends, self._reason = ends, reason
        self._held = b""
        self._told: dict[str, Value] = {}
        self._link = MqttLink(url, "talker", None, ["spBv1.0/pulsebms/NCMD/pack-1"])

    def turn(self) -> None:
        for event in self._link.poll():
            if isinstance(event, LinkUp):
                self._link.publish(self.pack.birth(_now_ms(), **self._told))
            elif isinstance(event, MqttMessage):
                self._obey({str(one.name): one.value for one in wire.decode(event.payload).metrics})

    def say(self, number: int, **values: float) -> None:
        said: dict[str, Value] = {"Row/Boot": self.pack.boot, "Row/Seq": number}
        said |= {name.replace("_", "/"): value for name, value in values.items()}
        self._link.publish(self.pack.data(said, _now_ms()))

    def _obey(self, said: dict[str, Value]) -> None:
        if said.get(commands.REBIRTH) is True:
            self._link.publish(self.pack.birth(_now_ms(), **self._told))
        if commands.CHUNK not in said:
            return
        if said[commands.OFFSET] == len(self._held):
            chunk = said[commands.CHUNK]
            assert isinstance(chunk, bytes)
            self._held += chunk
        whole = len(self._held) == said[commands.SIZE]
        told: dict[str, Value] = {"Bundle/Desired": said[commands.DESIRED], "Bundle/Received": len(self._held)}
        told["Bundle/State"] = "desired"
        self._link.publish(self.pack.data(told, _now_ms()))
        if whole:
            for state in ("downloaded", "verified", self._ends):
                end = {"Bundle/State": state, "Bundle/Reason": self._reason if state == self._ends else ""}
                self._link.publish(self.pack.data(told | end, _now_ms()))

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self._held).hexdigest()

    def close(self) -> None:
        self._link.close()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def desked(tmp_path: Path, qtbot: QtBot) -> Iterator[Desked]:
    made = Desked(tmp_path, qtbot)
    yield made
    made.page.connection.close()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith(("fleet", "mqtt"))]


@pytest.fixture
def talk(desked: Desked) -> Iterator[Callable[..., Talker]]:
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


def test_pack_appears_with_its_figures_and_a_trend(desked: Desked, talk: Callable[..., Talker]) -> None:
    page = desked.page
    talker = talk(desked.start())
    desked.until(lambda: page.table.packs.names == ["pack-1"])
    numbers = iter(range(1, 10_000))

    def shown() -> bool:
        talker.say(next(numbers), Pack_Current=-22.0, Pack_SoC=0.5)
        return page.node is not None and page.node.rows > 5 and page.table.packs.rows[0][6].text.endswith("22.00 A")

    desked.until(shown)
    cells = page.table.packs.rows[0]
    assert (cells[1].text, cells[6].grey) == ("online", False)
    assert page.trends["pack-1"].newest("Pack/SoC") == pytest.approx(0.5)
    assert page.detail.plots[0].header.entries[0].value == page.table.packs.rows[0][6].text


@pytest.mark.parametrize(
    "end",
    [
        ("healthy", "", "proved itself healthy"),
        ("refused", "has serial 5, older than 7", "has serial 5, older than 7"),
        ("reverted", "its estimator fell behind", "the one before runs again"),
    ],
)
def test_bundle_is_followed_to_its_end(
    desked: Desked, talk: Callable[..., Talker], tmp_path: Path, end: tuple[str, str, str]
) -> None:
    state, reason, words = end
    file = tmp_path / "hil24-7.bundle"
    file.write_bytes(DATA)
    page = desked.page
    talker = talk(desked.start(), state, reason)
    desked.until(lambda: page.node is not None and page.node.online)
    page.send(file, "pack-1")
    desked.until(lambda: words in page.detail.stepper.sentence.text())
    assert talker.sha256 == hashlib.sha256(DATA).hexdigest()
    assert page.detail.stepper.head.text() == f"Bundle {talker.sha256[:12]}"
    assert page.detail.stepper.percent.text() == "100 %"


def test_broker_that_is_killed_is_told_and_comes_back_where_it_was(desked: Desked, talk: Callable[..., Talker]) -> None:
    page, url = desked.page, desked.start()
    talk(url)
    desked.until(lambda: page.node is not None and page.node.online)
    broker = desked.hub._broker  # pyright: ignore[reportPrivateUsage]
    assert broker is not None
    os.kill(broker.pid, 9)  # type: ignore[attr-defined]
    desked.until(lambda: page.bar.word.text() == "NO BROKER")
    assert page.node is not None
    assert not page.node.online
    assert "without a broker" in page.bar.text.text()
    page.connection.start_broker()
    desked.until(lambda: page.bar.word.text() == "CONNECTED" and page.node is not None and page.node.online)
    assert broker.url == url
    assert page.connection.stage is ConnectionStage.OPEN


def test_file_that_is_no_fleets_is_refused_in_words(desked: Desked, tmp_path: Path) -> None:
    odd = tmp_path / "odd.sqlite"
    odd.write_bytes(b"not a database at all" * 100)
    desked.page.bar.choose_file(odd)
    desked.page.connect_or_leave()
    desked.until(lambda: desked.failures)
    assert "odd.sqlite" in desked.failures[0].sentence
    assert desked.page.connection.stage is ConnectionStage.APART


def test_address_that_is_none_is_refused_in_words(desked: Desked) -> None:
    desked.page.bar.url.setText("https://example.org")
    desked.page.connect_or_leave()
    desked.until(lambda: desked.failures)
    assert "is no address of a broker" in desked.failures[0].sentence
    assert "Write mqtt://HOST:PORT" in desked.failures[0].hint


def test_garbage_from_a_stranger_is_counted_by_name(desked: Desked, talk: Callable[..., Talker]) -> None:
    page, url = desked.page, desked.start()
    talk(url)
    desked.until(lambda: page.node is not None)
    stranger = MqttLink(url, "stranger")
    desked.until(lambda: stranger.poll() or stranger.is_up)
    stranger.publish(MqttMessage("spBv1.0/pulsebms/NDATA/pack-1", b"\xff\xff noise"))
    desked.until(page.detail.counters.topLevelItemCount)
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
    assert not {"paho", "google", "cryptography", "casadi", "numba", "pyarrow"} & set(json.loads(done.stdout))
