"""Edges with the real outbox, node and uplink, and no pack: many of them in one thread."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from edge_bridge import metrics
from edge_bridge.edge.clocks import MachineClocks
from edge_bridge.edge.node import EdgeNode, NodeNames
from edge_bridge.edge.outbox import Outbox
from edge_bridge.edge.uplink import Uplink
from edge_bridge.mqtt import MqttLink

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_bridge.metrics import Scalar

PERIOD_S = 0.1
STATUS: dict[str, Scalar] = {metrics.SHA256: "ab" * 32, metrics.STATE: "healthy"}


class LightEdge:
    """One edge; `turn` makes a row if asked, and serves the link."""

    def __init__(
        self, url: str, group: str, name: str, folder: Path, boot: str, *, identity: Path | None = None
    ) -> None:
        self.group, self.name = group, name
        self._clocks = MachineClocks()
        self.said = list[str]()  # its log
        self.outbox = Outbox(folder / f"{name}.sqlite", boot)
        self.node = EdgeNode(NodeNames(group, name, "fleet"), 0)
        self._link = MqttLink(
            *(url, f"edge-{name}", lambda: self.node.make_will(self._clocks.stamp_ms())),
            subscriptions=self.node.subscriptions,
            identity=identity,
        )
        self._uplink = Uplink(
            *(self._link, self.node, self.outbox, self._clocks),
            store_bd_seq=lambda _: None,
            log=self.said.append,
        )

    def turn(self, *, is_producing: bool) -> None:
        now_ms, now_s = self._clocks.stamp_ms(), self._clocks.now()
        if is_producing:
            self.outbox.put({metrics.VOLTAGE: 80.0, metrics.CURRENT: float(self.outbox.newest % 100)}, now_ms, now_s)
        self.outbox.commit(now_ms, now_s)
        self._uplink.handle_events(self._link.poll(0.0), STATUS)
        self._uplink.send_rows()
        self._uplink.publish_status(STATUS)

    def close(self) -> None:
        self._uplink.publish_death()
        self._link.close()
        self.outbox.close()


class LightEdges:
    """Edges in a thread of its own; `is_producing` may be set at any time."""

    def __init__(
        self, url: str, groups: list[str], folder: Path, make_identity: Callable[[str], Path] | None = None
    ) -> None:
        """`make_identity` makes the certificate of an edge, for a broker with TLS."""
        self.edges = list[LightEdge]()
        self.is_producing = True
        self._ready, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, args=(url, groups, folder, make_identity), name="edges")
        self._thread.start()
        self._ready.wait()

    def stored(self, groups: set[str]) -> int:
        """Return the rows of these groups that were acknowledged."""
        return sum(edge.outbox.stored for edge in self.edges if edge.group in groups)

    @property
    def depth(self) -> int:
        return sum(edge.outbox.depth for edge in self.edges)

    def close(self) -> None:
        self._closing.set()
        self._thread.join()

    def _run(self, url: str, groups: list[str], folder: Path, make_identity: Callable[[str], Path] | None) -> None:
        with ExitStack() as undo:
            undo.callback(self._ready.set)
            for number, group in enumerate(groups, 1):  # here, because an outbox belongs to one thread
                name = f"pack-{number}"
                identity = make_identity(name) if make_identity else None
                edge = LightEdge(url, group, name, folder, f"{number:016x}", identity=identity)
                undo.callback(edge.close)
                self.edges.append(edge)
            self._ready.set()
            while not self._closing.wait(PERIOD_S):
                for edge in self.edges:
                    edge.turn(is_producing=self.is_producing)
