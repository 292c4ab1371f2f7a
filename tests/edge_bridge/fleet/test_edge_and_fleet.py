"""The edge's own side of the protocol against the fleet's, without a broker, over a wire that loses and repeats."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import pytest

from edge_bridge.edge.download import Download
from edge_bridge.edge.node import Acknowledgement, EdgeNode, NodeNames, Piece, RebirthRequest
from edge_bridge.edge.outbox import Outbox
from edge_bridge.fleet import commands
from edge_bridge.fleet.bundle_transfer import BundleTransfer
from edge_bridge.mqtt import MqttMessage
from tests.edge_bridge.fleet.pack import BOOT, Desk

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.metrics import Scalar


class Edge:
    """A node with its outbox and its download; what it wants to send lies in `mark_sent`."""

    def __init__(self, folder: Path, desk: Desk, capacity_rows: int = 10_000) -> None:
        self.node = EdgeNode(NodeNames("pulsebms", "pack-1", "fleet"), 0)
        self.outbox = Outbox(folder / "outbox.db", BOOT, capacity_rows=capacity_rows)
        self.download = Download(folder)
        self.desk = desk
        self.sent = list[MqttMessage]()
        self.birth(self.node.make_will(desk.now.ms))

    def birth(self, will: MqttMessage | None = None) -> None:
        newest: dict[str, Scalar] = {"Row/Boot": BOOT, "Row/Seq": self.outbox.boots.get(BOOT)}
        self.sent.append(
            self.node.make_birth(newest | {"Bundle/Sha256": "00" * 32} | self.offer(), self.desk.now.ms, will)
        )

    def offer(self) -> dict[str, Scalar]:
        if not self.download.sha256:
            return {}
        said: dict[str, Scalar] = {"Bundle/Desired": self.download.sha256, "Bundle/State": "desired"}
        return said | {"Bundle/Received": self.download.received}

    def turn(self, rows: int) -> None:
        now = self.desk.now
        for number in range(rows):
            self.outbox.put(
                {"Pack/Voltage": 80.0 + number, "Gate/Verdict": "allowed", "Pack/SoC": None}, now.ms, now.mono_s
            )
        self.outbox.commit(now.ms, now.mono_s)
        due = self.outbox.due(200, now.mono_s)
        self.sent += [self.node.make_row(row, now.ms) for row in due]
        self.outbox.mark_sent(due, now.mono_s)

    def hear(self, message: MqttMessage) -> None:
        for heard in self.node.handle(message):
            match heard:
                case Acknowledgement(boots):
                    for boot, ranges in boots.items():
                        self.outbox.acknowledge(boot, ranges)
                case RebirthRequest():
                    self.birth()
                case Piece():
                    self.download.append(heard)
                    self.sent.append(self.node.make_status(self.offer(), self.desk.now.ms))
                case _:
                    pass


class Wire:
    """Loses, repeats and swaps messages in both directions as the dice fall."""

    def __init__(self, edge: Edge, desk: Desk, dice: random.Random, bad: float) -> None:
        self.edge, self.desk, self.dice, self.bad = edge, desk, dice, bad

    def turn(self) -> None:
        self.desk.hear(*self._through(self.edge.sent))
        for message in self._through(self.desk.sent):
            self.edge.hear(message)
        self.desk.pass_s(0.3)

    def _through(self, sent: list[MqttMessage]) -> list[MqttMessage]:
        there = list[MqttMessage]()
        for message in sent:
            fate = self.dice.random()
            if fate < self.bad:
                continue
            there += [message, message] if fate < 2 * self.bad else [message]
        for place in range(len(there) - 1):
            if self.dice.random() < self.bad:
                there[place], there[place + 1] = there[place + 1], there[place]
        sent.clear()
        return there


def test_births_rows_and_acknowledgements_understand_each_other(tmp_path: Path, desk: Desk) -> None:
    edge = Edge(tmp_path, desk)
    wire = Wire(edge, desk, random.Random(1), 0.0)
    for _ in range(10):
        edge.turn(7)
        wire.turn()
    assert (edge.outbox.depth, edge.outbox.stored, edge.outbox.produced) == (0, 70, 70)
    assert desk.refused == edge.node.refused == {}
    (summary,) = desk.store.summary()
    assert (summary.produced, summary.stored, summary.missing, summary.duplicates) == (70, 70, 0, 0)
    assert (summary.online, summary.bundle) == (True, "00" * 32)
    edge.outbox.close()


@pytest.mark.parametrize("seed", range(5))
def test_a_wire_that_loses_repeats_and_swaps_costs_no_row(tmp_path: Path, desk: Desk, seed: int) -> None:
    edge = Edge(tmp_path, desk)
    wire = Wire(edge, desk, random.Random(seed), 0.05)
    for _ in range(60):
        edge.turn(5)
        wire.turn()
    wire.bad = 0.0
    for _ in range(200):
        if not edge.outbox.depth:
            break
        edge.turn(0)
        wire.turn()
    assert (edge.outbox.depth, edge.outbox.produced) == (0, 300)
    (summary,) = desk.store.summary()
    assert (summary.produced, summary.stored, summary.missing, summary.duplicates) == (300, 300, 0, 0)
    assert desk.refused["out_of_order"] > 0
    assert desk.refused.keys() <= {"out_of_order", "no_birth"}
    edge.outbox.close()


def test_rows_that_a_small_outbox_evicts_are_named_and_not_missing(tmp_path: Path, desk: Desk) -> None:
    edge = Edge(tmp_path, desk, capacity_rows=100)
    for _ in range(50):  # nobody hears
        edge.turn(10)
        desk.pass_s(0.3)
    edge.sent.clear()
    edge.outbox.mark_unsent()
    edge.birth()
    wire = Wire(edge, desk, random.Random(1), 0.0)
    for _ in range(20):
        edge.turn(0)
        wire.turn()
    assert edge.outbox.depth == 0
    (summary,) = desk.store.summary()
    assert summary.named == edge.outbox.evicted > 300
    assert summary.produced == edge.outbox.produced == summary.stored + summary.named
    assert (summary.missing, summary.duplicates) == (0, 0)
    edge.outbox.close()


def test_a_bundle_arrives_over_a_bad_wire(tmp_path: Path, desk: Desk) -> None:
    edge = Edge(tmp_path, desk)
    wire = Wire(edge, desk, random.Random(3), 0.1)
    data = random.Random(3).randbytes(500_001)
    edge.turn(1)
    wire.turn()
    push = BundleTransfer("pack-1", data, desk.host.nodes["pack-1"].status, desk.now.mono_s)
    for _ in range(2_000):
        node = desk.host.nodes["pack-1"]
        push.update(node.status, desk.now.mono_s)
        desk.sent += [
            commands.make_command("pulsebms", "pack-1", piece, desk.now.ms)
            for piece in push.due_pieces(desk.now.mono_s)
        ]
        wire.turn()
        edge.turn(1)
        if edge.download.is_complete:
            break
    assert edge.download.read() == data
    assert edge.download.sha256 == hashlib.sha256(data).hexdigest()
    edge.outbox.close()
