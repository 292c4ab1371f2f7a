"""A light node: the messages of an edge with made-up values, its outbox in memory, no pack and no disk."""

from __future__ import annotations

import asyncio
import math
import random
import secrets
from typing import TYPE_CHECKING, Final

from edge_bridge import metrics
from edge_bridge.edge.node import Acknowledgement, EdgeNode, NodeNames, RebirthRequest
from edge_bridge.edge.row import OutboxRow, RowKey
from edge_bridge.mqtt_async import AsyncMqttLink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_bridge.edge.clocks import Clocks
    from edge_bridge.metrics import Scalar
    from edge_bridge.mqtt_frames import MqttMessage

RESEND_S: Final = 5.0
MAX_WAITING: Final = 3_600  # rows; one that waits longer keeps new ones from being made
BURST: Final = 50
CELLS: Final = 24
PERIOD_S: Final = 600.0  # of the made-up current


class LightNode:
    """One node; call `turn` at its rate and run its `link`."""

    def __init__(self, url: str, names: NodeNames, clocks: Clocks, place: int) -> None:
        """`place` makes its values differ from those of the others. Raise `Usage`."""
        self._clocks, self._random = clocks, random.Random(place)
        self._node, self._boot = EdgeNode(names, secrets.randbelow(256)), secrets.token_hex(8)
        self._phase, self._soc = self._random.uniform(0.0, math.tau), self._random.uniform(0.3, 0.9)
        self._soh = self._random.uniform(0.6, 0.9)
        self._waiting = dict[int, tuple[OutboxRow, float]]()  # rows by number, and when each was sent last
        self._produced = 0
        self._emptied = asyncio.Event()
        self.link = AsyncMqttLink(url, f"edge-{names.group}-{names.node}", self)

    @property
    def produced(self) -> int:
        return self._produced

    @property
    def depth(self) -> int:
        """Return the number of rows that are not acknowledged."""
        return len(self._waiting)

    @property
    def subscriptions(self) -> Sequence[str]:
        return self._node.subscriptions

    def turn(self) -> None:
        """Make a row and send what is due."""
        if len(self._waiting) < MAX_WAITING:
            self._produced += 1
            key = RowKey(self._boot, self._produced)
            row = OutboxRow(key, self._clocks.stamp_ms(), self._make_values(), live=True)
            self._waiting[self._produced] = (row, -math.inf)
        self._send()

    async def wait_until_empty(self) -> None:
        """Wait until the fleet has acknowledged all rows; make no new ones meanwhile."""
        if self._waiting:
            self._emptied.clear()
            await self._emptied.wait()

    def make_death(self) -> MqttMessage | None:
        return self._node.make_death(self._clocks.stamp_ms()) if self._node.is_born else None

    def make_will(self) -> MqttMessage:
        return self._node.make_will(self._clocks.stamp_ms())

    def handle_up(self, will: MqttMessage) -> None:
        self._publish_birth(will)
        self._send()

    def handle_down(self) -> None:
        self._node.disconnect()
        self._waiting = {seq: (row, -math.inf) for seq, (row, _) in self._waiting.items()}

    def handle(self, message: MqttMessage) -> None:
        for received in self._node.handle(message):
            if isinstance(received, Acknowledgement):
                for first, last in received.boots.get(self._boot, ()):
                    for seq in range(first, min(last, self._produced) + 1):
                        self._waiting.pop(seq, None)
                if not self._waiting:
                    self._emptied.set()
            elif isinstance(received, RebirthRequest) and self._node.is_born:
                self._publish_birth(None)

    def _publish_birth(self, will: MqttMessage | None) -> None:
        newest: dict[str, Scalar] = {metrics.ROW_BOOT: self._boot, metrics.ROW_SEQ: self._produced}
        status: dict[str, Scalar] = {metrics.NAME: "light node", metrics.DEPTH: self.depth, metrics.EVICTED: 0}
        values = {**self._make_values(), **status, **(newest if self._produced else {})}
        self.link.publish(self._node.make_birth(values, self._clocks.stamp_ms(), will))

    def _send(self) -> None:
        now_s, now_ms = self._clocks.now(), self._clocks.stamp_ms()
        if not self._node.is_born:
            return
        due = [seq for seq, (_, sent_s) in self._waiting.items() if now_s - sent_s >= RESEND_S]
        for seq in reversed(due[-BURST:]):
            row, sent_s = self._waiting[seq]
            live = sent_s == -math.inf and seq == self._produced
            if not self.link.publish(self._node.make_row(OutboxRow(row.key, row.t_ms, row.values, live), now_ms)):
                return
            self._waiting[seq] = (row, now_s)

    def _make_values(self) -> dict[str, Scalar]:
        """Return values that change slowly, as those of a pack that is charged and discharged."""
        current_a = 40.0 * math.sin(math.tau * self._clocks.now() / PERIOD_S + self._phase)
        self._soc = min(0.95, max(0.05, self._soc - current_a / 3600.0 / 100.0))
        cell_v = 3.2 + 0.5 * self._soc - 0.001 * current_a + self._random.gauss(0.0, 0.001)
        return {
            metrics.CURRENT: current_a,
            metrics.VOLTAGE: CELLS * cell_v,
            metrics.SOC: self._soc,
            metrics.SOC_STD: 0.02,
            metrics.CELL_MIN: cell_v - 0.01,
            metrics.CELL_MAX: cell_v + 0.01,
            metrics.TEMPERATURE: 298.15 + abs(current_a) / 10.0,
            metrics.BMS_STATE: 2,
            metrics.BMS_FAULT: 0,
            metrics.VERDICT: "allowed",
            metrics.SOH: self._soh,
            metrics.SOH_STD: 0.01,
            metrics.SOH_MIN: self._soh - 0.03,
        }
