"""An edge that sends over a wire in memory to a real fleet's desk, with clocks that are set."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge_bridge import metrics
from edge_bridge.edge.node import EdgeNode, NodeNames
from edge_bridge.edge.uplink import Uplink
from edge_bridge.mqtt import LinkUp, MqttMessage
from tests.edge_bridge.fleet.pack import START_MS, Desk, asked

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.edge.outbox import Outbox
    from edge_bridge.metrics import Scalar
    from edge_bridge.mqtt import LinkEvent

BOOT = "00000000000000aa"
STATUS: dict[str, Scalar] = {metrics.SHA256: "ab" * 32, metrics.STATE: "healthy", metrics.DEPTH: 0}


class SetClocks:
    """Clocks that are set, and a wire that keeps what it takes; it is cut by `taking = 0`."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.wall_ms = START_MS
        self.taking = 1_000_000
        self.sent: deque[MqttMessage] = deque()

    def now(self) -> float:
        return self.now_s

    def utc(self) -> datetime:
        return datetime.fromtimestamp(self.wall_ms / 1_000, UTC)

    def stamp_ms(self) -> int:
        return self.wall_ms

    def pass_s(self, seconds: float) -> None:
        self.now_s += seconds
        self.wall_ms += round(1_000 * seconds)

    def publish(self, message: MqttMessage) -> bool:
        if self.taking <= 0:
            return False
        self.taking -= 1
        self.sent.append(message)
        return True


class SendingEdge:
    """An uplink over a real outbox, and a real fleet's desk that may be asked to hear it."""

    def __init__(self, folder: Path, desk: Desk, outbox: Outbox) -> None:
        self.hands, self.desk, self.outbox = SetClocks(), desk, outbox
        self.said: list[str] = []
        self.bd_seqs: list[int] = []
        self.node = EdgeNode(NodeNames("pulsebms", "pack-1", "fleet"), 3)
        self.uplink = Uplink(
            self.hands, self.node, outbox, self.hands, store_bd_seq=self.bd_seqs.append, log=self.said.append
        )

    def rows(self, count: int) -> None:
        for _ in range(count):
            self.outbox.put({metrics.CURRENT: 1.0}, self.hands.wall_ms, self.hands.now_s)
        self.outbox.commit(self.hands.wall_ms, self.hands.now_s)

    def up(self) -> None:
        self.hear(LinkUp(self.node.make_will(self.hands.wall_ms), number=1))

    def hear(self, *events: LinkEvent) -> None:
        self.uplink.handle_events(events, STATUS)

    def drain(self) -> list[MqttMessage]:
        """Send all that waits, as fast as the fleet acknowledges it; return the rows that were sent."""
        sent = list[MqttMessage]()
        while self.outbox.depth:
            self.uplink.send_rows()
            assert self.hands.sent, "it waits for nothing"
            sent += [message for message in self.to_fleet() if "NDATA" in message.topic]
        return sent

    def to_fleet(self) -> list[MqttMessage]:
        """Let the fleet hear what was sent; its commands come back at once."""
        sent, self.hands.sent = list(self.hands.sent), deque()
        self.desk.hear(*sent)
        answers, self.desk.sent = self.desk.sent, []
        self.hear(*answers)
        return sent


def kept(edge: SendingEdge) -> list[tuple[int, int]]:
    """Number and time stamp of the rows in the fleet's file."""
    return [(seq, t_ms) for seq, t_ms in asked(edge.desk.store, "SELECT seq, t_ms FROM row ORDER BY seq")]


def stored(edge: SendingEdge) -> set[int]:
    return {seq for seq, _ in kept(edge)}


def kinds(sent: list[MqttMessage]) -> list[str]:
    return [message.topic.split("/")[2] for message in sent]
