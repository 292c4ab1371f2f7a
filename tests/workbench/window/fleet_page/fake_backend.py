"""A backend and a fleet that a test drives, and a page over them."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.errors import PulseError, Usage
from edge_bridge.fleet.store.records import Totals
from edge_bridge.fleet.view import FleetView, NodeView
from tests.workbench.hands import click
from workbench.session.actions import Failure
from workbench.window.fleet_page.page import FleetPage
from workbench.window.session_controller import SessionController
from workbench.window.widgets.dialogs import Dialog
from workbench.window.widgets.themes import DARK

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from edge_bridge.metrics import Scalar


URL = "http://127.0.0.1:20001"
BROKER = "mqtt://127.0.0.1:20002"
FILE = Path("/runs/bundles/hil24-7.bundle")
VIEW = FleetView(True, "", 0.0, (), Totals(0, 0, 0), 0)  # noqa: FBT003  # a view as it is
LONG_S = 30.0


NOW_MS = 1_800_000_000_000.0
SHA = "ab" * 32
STATUS: dict[str, Scalar] = {
    "Bundle/Sha256": SHA, "Bundle/Name": "hil24", "Bundle/Serial": 7, "Bundle/Evidence": "SIM",
    "Gate/Verdict": "held", "Gate/Reason": "cell_07/voltage above 4.20 V", "Outbox/Depth": 12_345,
    "Pack/Current": -22.0, "Pack/Voltage": 93.754, "Pack/SoC": 0.632, "Pack/SoC Std": 0.0141,
    "Cells/Voltage Min": 3.8811, "Cells/Voltage Max": 3.9046, "Temperature/Max": 298.25,
}  # fmt: skip


def pack(age_s: float | None = 0.2, *, online: bool = True, **status: Scalar) -> NodeView:
    """`_` stands for `/` in a name."""
    values = STATUS | {name.replace("_", "/"): value for name, value in status.items()}
    last_ms = None if age_s is None else round(NOW_MS - 1e3 * age_s)
    return NodeView("pack-1", online, 1_234, last_ms, values)


class FakeFleetClient:
    """Says what a test wants it to say."""

    def __init__(self) -> None:
        self.view, self.broker = VIEW, BROKER
        self.silence: tuple[float, str] = (0.0, "")
        self.is_refused = False
        self.broken: PulseError | None = None
        self.sent = list[tuple[Path, str]]()

    def snapshot(self) -> FleetView:
        if self.broken is not None:
            raise self.broken
        return self.view

    def read_silence(self) -> tuple[float, str]:
        return self.silence

    def send_bundle(self, path: Path, node: str) -> None:
        if path.name == "odd.bundle":
            raise Usage("cannot be read", where=path.name, hint="name a bundle file")
        self.sent.append((path, node))


class FakeFleetBackend:
    """Opens at once, unless it is held; remembers what was asked of it."""

    def __init__(self) -> None:
        self.fleet = FakeFleetClient()
        self.asked = list[object]()
        self.go = threading.Event()
        self.go.set()
        self.trouble: Exception | None = None
        self.fleet_runs = False

    def _do(self, what: object) -> None:
        assert self.go.wait(LONG_S)
        self.asked.append(what)
        if self.trouble is not None:
            raise self.trouble

    def open(self, address: str) -> FakeFleetClient:
        self._do(("open", address))
        return self.fleet

    def leave(self) -> None:
        self._do("leave")

    def start_fleet(self, database: Path) -> str:
        self._do(("start", database))
        self.fleet_runs = True
        return URL

    def stop_fleet(self) -> None:
        self._do("stop")
        self.fleet_runs = False

    def close(self) -> None:
        self.trouble = None
        self._do("close")


class Kit:
    """A page, its session controller, its backend."""

    def __init__(self, qtbot: QtBot, root: Path | None = Path("/runs")) -> None:
        self._qtbot = qtbot
        self.session_controller, self.backend = SessionController(), FakeFleetBackend()
        self.page = FleetPage(self.session_controller, self.backend, root, DARK, wall_s=lambda: NOW_MS / 1e3)
        self.page.dialog_wanted.connect(Dialog.open)
        self.failures = list[Failure]()
        self.page.connection.failed.connect(self.failures.append)
        self.page.resize(1310, 690)
        qtbot.addWidget(self.page)
        self.page.show()

    def until(self, what: Callable[[], bool]) -> None:
        def turned() -> bool:
            self.session_controller.values_due.emit()
            return what()

        self._qtbot.waitUntil(turned, timeout=round(1e3 * LONG_S))

    def connect(self) -> None:
        click(self.page.bar.connect_)
        self.until(lambda: self.page.connection.view is not None)

    def say(self, *nodes: NodeView, **fields: object) -> None:
        self.backend.fleet.view = replace(VIEW, nodes=nodes, **fields)  # type: ignore[arg-type]
        self.session_controller.values_due.emit()
