from __future__ import annotations

from collections import deque
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from edge_bridge import metrics
from edge_bridge.edge.node import EdgeNode, NodeNames
from edge_bridge.edge.outbox import LIVE_S, RESEND_S, Outbox
from edge_bridge.edge.uplink import MAX_BURST, OFFLINE_BURST, Uplink
from edge_bridge.fleet import commands
from edge_bridge.mqtt import LinkDown, LinkUp, MqttMessage
from edge_bridge.sparkplug import wire
from edge_bridge.sparkplug.aliases import Aliases
from tests.edge_bridge.fleet.pack import START_MS, Desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_bridge.metrics import Scalar
    from edge_bridge.mqtt import LinkEvent

BOOT = "00000000000000aa"
STATUS: dict[str, Scalar] = {metrics.SHA256: "ab" * 32, metrics.STATE: "healthy", metrics.DEPTH: 0}


class Hands:
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


class Edge:
    """A voice over a real outbox, and a real fleet's desk that may be asked to hear it."""

    def __init__(self, folder: Path, desk: Desk, outbox: Outbox) -> None:
        self.hands, self.desk, self.outbox = Hands(), desk, outbox
        self.said: list[str] = []
        self.bd_seqs: list[int] = []
        self.node = EdgeNode(NodeNames("pulsebms", "pack-1", "fleet"), 3)
        self.voice = Uplink(
            self.hands, self.node, outbox, self.hands, store_bd_seq=self.bd_seqs.append, log=self.said.append
        )

    def rows(self, count: int) -> None:
        for _ in range(count):
            self.outbox.put({metrics.CURRENT: 1.0}, self.hands.wall_ms, self.hands.now_s)
        self.outbox.commit(self.hands.wall_ms, self.hands.now_s)

    def up(self) -> None:
        self.hear(LinkUp(self.node.make_will(self.hands.wall_ms), number=1))

    def hear(self, *events: LinkEvent) -> None:
        self.voice.handle_events(events, STATUS)

    def to_fleet(self) -> list[MqttMessage]:
        """Let the fleet hear what was sent; its commands come back at once."""
        sent, self.hands.sent = list(self.hands.sent), deque()
        self.desk.hear(*sent)
        answers, self.desk.sent = self.desk.sent, []
        self.hear(*answers)
        return sent


@pytest.fixture
def edge(tmp_path: Path, desk: Desk) -> Iterator[Edge]:
    with closing(Outbox(tmp_path / "o.sqlite", BOOT)) as outbox:
        yield Edge(tmp_path, desk, outbox)


def kept(edge: Edge) -> list[tuple[int, int]]:
    """Number and time stamp of the rows in the fleet's file."""
    database = edge.desk.store._database  # pyright: ignore[reportPrivateUsage]
    return database.execute("SELECT seq, t_ms FROM row ORDER BY seq").fetchall()


def stored(edge: Edge) -> set[int]:
    return {seq for seq, _ in kept(edge)}


def kinds(sent: list[MqttMessage]) -> list[str]:
    return [message.topic.split("/")[2] for message in sent]


def test_nothing_is_sent_before_the_birth(edge: Edge) -> None:
    edge.rows(3)
    edge.voice.send_rows()
    edge.voice.publish_status(STATUS)
    assert not edge.hands.sent
    edge.up()
    edge.voice.send_rows()
    assert kinds(list(edge.hands.sent)) == ["NBIRTH", "NDATA", "NDATA", "NDATA"]


def test_rows_leave_only_when_the_fleet_has_stored_them(edge: Edge) -> None:
    edge.up()
    edge.rows(5)
    edge.voice.send_rows()
    assert edge.outbox.depth == 5
    edge.to_fleet()
    assert edge.outbox.depth == 0
    assert edge.outbox.stored == 5
    assert edge.desk.refused == {}


def test_live_rows_go_before_the_backlog_which_says_that_it_was_held_back(edge: Edge) -> None:
    edge.rows(3)
    edge.hands.pass_s(10.0)
    edge.up()
    edge.rows(1)
    edge.voice.send_rows()
    declared = Aliases.from_birth(metrics.make_birth_metrics({metrics.BD_SEQ: 0}, 0))
    sent = [declared.read(wire.decode(message.payload)) for message in edge.hands.sent if "NDATA" in message.topic]
    numbers = [row[metrics.ROW_SEQ] for row in sent]
    assert [(number.value, number.historical, number.timestamp_ms) for number in numbers] == [
        (4, False, START_MS + 10_000),
        (3, True, START_MS),
        (2, True, START_MS),
        (1, True, START_MS),
    ]
    assert LIVE_S < 10.0


def test_a_link_that_takes_no_more_leaves_the_rest_for_later(edge: Edge) -> None:
    edge.up()
    edge.rows(10)
    edge.hands.taking = 4
    edge.voice.send_rows()
    edge.hands.taking = 100
    edge.voice.send_rows()
    edge.to_fleet()
    edge.voice.send_rows()
    edge.hands.pass_s(RESEND_S)
    edge.voice.send_rows()
    edge.to_fleet()  # a birth is asked for, because the message that was not taken had its number
    edge.hands.pass_s(RESEND_S)
    edge.voice.send_rows()
    edge.to_fleet()
    assert edge.outbox.depth == 0


def test_rows_that_were_lost_on_the_way_come_again(edge: Edge) -> None:
    edge.up()
    edge.to_fleet()
    edge.rows(3)
    edge.voice.send_rows()
    edge.hands.sent.clear()  # a broker that was killed
    edge.hear(LinkDown("connection lost"))
    edge.hands.pass_s(2.0)
    edge.up()
    edge.voice.send_rows()
    edge.to_fleet()
    assert (edge.outbox.depth, stored(edge)) == (0, {1, 2, 3})
    assert edge.voice.outage_s == pytest.approx(2.0)


def test_an_acknowledgement_that_was_lost_brings_no_row_twice(edge: Edge) -> None:
    edge.up()
    edge.rows(3)
    edge.voice.send_rows()
    edge.desk.hear(*edge.hands.sent)
    edge.hands.sent.clear()
    edge.desk.sent.clear()  # the fleet was killed after its commit
    edge.hands.pass_s(RESEND_S)
    edge.desk.pass_s(RESEND_S)
    edge.voice.send_rows()
    edge.to_fleet()
    assert edge.outbox.depth == 0
    assert len(stored(edge)) == 3


def test_a_rebirth_is_given_at_once(edge: Edge) -> None:
    edge.up()
    edge.hands.sent.clear()
    edge.hear(commands.make_command("pulsebms", "pack-1", {metrics.REBIRTH: True}, 1))
    assert kinds(list(edge.hands.sent)) == ["NBIRTH"]


def test_rows_that_a_host_without_our_birth_refused_follow_the_rebirth(edge: Edge) -> None:
    edge.up()
    edge.rows(3)
    edge.voice.send_rows()
    edge.hands.sent.clear()
    edge.hear(commands.make_command("pulsebms", "pack-1", {metrics.REBIRTH: True}, 1))
    edge.voice.send_rows()
    assert kinds(list(edge.hands.sent)) == ["NBIRTH", "NDATA", "NDATA", "NDATA"]


def test_many_wishes_for_a_rebirth_at_once_bring_one(edge: Edge) -> None:
    edge.up()
    edge.hands.sent.clear()
    edge.hear(*[commands.make_command("pulsebms", "pack-1", {metrics.REBIRTH: True}, 1)] * 50)
    assert kinds(list(edge.hands.sent)) == ["NBIRTH"]


def test_births_on_request_are_a_second_apart(edge: Edge) -> None:
    edge.up()
    edge.hands.sent.clear()
    for _ in range(35):
        edge.hear(commands.make_command("pulsebms", "pack-1", {metrics.REBIRTH: True}, 1))
        edge.hands.pass_s(0.1)
    assert kinds(list(edge.hands.sent)) == ["NBIRTH"] * 4


def test_a_fleet_that_is_away_gets_only_the_newest_and_all_when_it_is_back(edge: Edge) -> None:
    edge.up()
    edge.hear(commands.make_state("fleet", 5_000, online=False))
    edge.rows(100)
    edge.hands.sent.clear()
    edge.voice.send_rows()
    assert len(edge.hands.sent) == OFFLINE_BURST
    edge.hear(commands.make_state("fleet", 6_000, online=True))
    edge.hands.sent.clear()
    edge.voice.send_rows()
    assert len(edge.hands.sent) == 100


def test_not_more_than_a_burst_goes_at_once(edge: Edge) -> None:
    edge.up()
    edge.rows(MAX_BURST + 50)
    edge.hands.sent.clear()
    edge.voice.send_rows()
    assert len(edge.hands.sent) == MAX_BURST


def test_status_is_told_when_it_changes_of_a_bundle_at_once(edge: Edge) -> None:
    edge.up()
    edge.hands.pass_s(5.0)
    edge.to_fleet()
    edge.voice.publish_status(STATUS)
    assert not edge.hands.sent  # the birth has said it
    edge.voice.publish_status({**STATUS, metrics.DEPTH: 4})
    edge.voice.publish_status({**STATUS, metrics.DEPTH: 5})
    assert len(edge.hands.sent) == 1
    edge.voice.publish_status({**STATUS, metrics.STATE: "desired"})
    edge.to_fleet()
    assert edge.desk.host.nodes["pack-1"].status[metrics.STATE] == "desired"


def test_a_piece_of_a_bundle_is_answered_even_where_nothing_changed(edge: Edge) -> None:
    edge.up()
    edge.voice.publish_status(STATUS)
    edge.hands.sent.clear()
    piece = {metrics.DESIRED: "cd" * 32, metrics.SIZE: 10, metrics.OFFSET: 0, metrics.CHUNK: b"x"}
    pieces = edge.voice.handle_events([commands.make_command("pulsebms", "pack-1", piece, 1)], STATUS)
    assert [found.chunk for found in pieces] == [b"x"]
    edge.voice.publish_status(STATUS)
    assert kinds(list(edge.hands.sent)) == ["NDATA"]


def test_each_connection_has_a_number_of_its_own_which_is_kept(edge: Edge) -> None:
    edge.up()
    edge.hear(LinkDown("gone"))
    edge.up()
    assert edge.bd_seqs == [3, 4]


def test_a_disk_that_keeps_no_number_does_not_stop_the_voice(edge: Edge) -> None:
    def full(number: int) -> None:
        raise OSError(28, f"No space left for {number}")

    edge.voice._store_bd_seq = full  # pyright: ignore[reportPrivateUsage]
    edge.up()
    assert kinds(list(edge.hands.sent)) == ["NBIRTH"]


def test_the_time_without_a_broker_is_summed_and_still_running(edge: Edge) -> None:
    edge.hands.pass_s(1.0)
    edge.up()
    edge.hands.pass_s(5.0)
    edge.hear(LinkDown("gone"))
    edge.hands.pass_s(3.0)
    assert edge.voice.outage_s == pytest.approx(4.0)


def test_garbage_from_the_broker_changes_nothing(edge: Edge) -> None:
    edge.up()
    edge.rows(2)
    edge.hear(MqttMessage("spBv1.0/pulsebms/NCMD/pack-1", b"\xff\xfe"), MqttMessage("elsewhere", b""))
    assert edge.outbox.depth == 2
    assert sum(edge.node.refused.values()) == 2


@pytest.mark.parametrize("jump_ms", [-86_400_000, 86_400_000])
def test_a_clock_that_jumps_is_told_as_it_is_and_holds_nothing_up(edge: Edge, jump_ms: int) -> None:
    edge.up()
    edge.rows(2)
    edge.hands.wall_ms += jump_ms
    edge.rows(2)
    edge.voice.send_rows()
    edge.to_fleet()
    assert edge.outbox.depth == 0
    assert [t_ms - START_MS for _, t_ms in kept(edge)] == [0, 0, jump_ms, jump_ms]


def test_an_acknowledgement_of_rows_that_were_never_sent_is_refused_as_a_whole(edge: Edge) -> None:
    edge.up()
    edge.rows(3)
    edge.voice.send_rows()
    edge.rows(2)  # written, not sent
    for forged in ({BOOT: [1, 2, 3, 4]}, {BOOT: [1], "0000000000000bad": [7]}, {BOOT: [5]}):
        edge.hear(*commands.make_acknowledgements("pulsebms", {"pack-1": forged}, 1))
    assert (edge.outbox.depth, edge.outbox.stored) == (5, 0)
    assert edge.node.refused == {"never_sent": 3}
    assert sum("never sent" in line for line in edge.said) == 1
    edge.hear(*commands.make_acknowledgements("pulsebms", {"pack-1": {BOOT: [1, 3]}}, 1))
    assert (edge.outbox.depth, edge.outbox.stored) == (3, 2)


def test_a_restarted_edge_believes_no_acknowledgement_of_what_it_has_not_sent_again(tmp_path: Path, desk: Desk) -> None:
    with closing(Outbox(tmp_path / "again.sqlite", BOOT)) as outbox:
        before = Edge(tmp_path, desk, outbox)
        before.up()
        before.rows(2)
        before.voice.send_rows()
    with closing(Outbox(tmp_path / "again.sqlite", "00000000000000bb")) as outbox:
        after = Edge(tmp_path, desk, outbox)
        after.up()
        after.hear(*commands.make_acknowledgements("pulsebms", {"pack-1": {BOOT: [1, 2]}}, 1))
        assert outbox.depth == 2
        after.voice.send_rows()
        after.to_fleet()
        assert outbox.depth == 0


def test_acknowledgements_of_another_host_are_refused_and_those_without_an_id_are_not(edge: Edge) -> None:
    edge.up()
    edge.rows(2)
    edge.voice.send_rows()
    kept = {"pack-1": {BOOT: [1]}}
    edge.hear(*commands.make_acknowledgements("pulsebms", kept, 1, host="fleet-2", with_host=lambda _: True))
    assert (edge.outbox.depth, edge.node.refused) == (2, {"other_host": 1})
    edge.hear(*commands.make_acknowledgements("pulsebms", kept, 1, host="fleet", with_host=lambda _: True))
    assert edge.outbox.depth == 1
    edge.hear(*commands.make_acknowledgements("pulsebms", {"pack-1": {BOOT: [2]}}, 1))  # a fleet of the version before
    assert edge.outbox.depth == 0
