"""When an edge sends what: births, live rows, the backlog, states; and what broken links and clocks do to that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_bridge import metrics
from edge_bridge.edge.outbox import LIVE_S, RESEND_S
from edge_bridge.edge.send_window import LEAST, START
from edge_bridge.edge.uplink import MAX_BURST
from edge_bridge.fleet import commands
from edge_bridge.mqtt import LinkDown, MqttMessage
from edge_bridge.sparkplug import wire
from edge_bridge.sparkplug.aliases import Aliases
from tests.edge_bridge.edge.sending_edge import STATUS, kept, kinds, stored
from tests.edge_bridge.fleet.pack import START_MS

if TYPE_CHECKING:
    from tests.edge_bridge.edge.sending_edge import SendingEdge


def test_nothing_is_sent_before_the_birth(edge: SendingEdge) -> None:
    edge.rows(3)
    edge.uplink.send_rows()
    edge.uplink.publish_status(STATUS)
    assert not edge.hands.sent
    edge.up()
    edge.uplink.send_rows()
    assert kinds(list(edge.hands.sent)) == ["NBIRTH", "NDATA", "NDATA", "NDATA"]


def test_live_rows_go_before_the_backlog_which_says_that_it_was_held_back(edge: SendingEdge) -> None:
    edge.rows(3)
    edge.hands.pass_s(10.0)
    edge.up()
    edge.rows(1)
    edge.uplink.send_rows()
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


def test_a_link_that_takes_no_more_leaves_the_rest_for_later(edge: SendingEdge) -> None:
    edge.up()
    edge.rows(10)
    edge.hands.taking = 4
    edge.uplink.send_rows()
    edge.hands.taking = 100
    edge.uplink.send_rows()
    edge.to_fleet()
    edge.uplink.send_rows()
    edge.hands.pass_s(RESEND_S)
    edge.uplink.send_rows()
    edge.to_fleet()  # a birth is asked for, because the message that was not taken had its number
    edge.hands.pass_s(RESEND_S)
    edge.uplink.send_rows()
    edge.to_fleet()
    assert edge.outbox.depth == 0


def test_a_rebirth_is_given_at_once(edge: SendingEdge) -> None:
    edge.up()
    edge.hands.sent.clear()
    edge.hear(commands.make_command("pulsebms", "pack-1", {metrics.REBIRTH: True}, 1))
    assert kinds(list(edge.hands.sent)) == ["NBIRTH"]


def test_rows_that_a_host_without_our_birth_refused_follow_the_rebirth(edge: SendingEdge) -> None:
    edge.up()
    edge.rows(3)
    edge.uplink.send_rows()
    edge.hands.sent.clear()
    edge.hear(commands.make_command("pulsebms", "pack-1", {metrics.REBIRTH: True}, 1))
    edge.uplink.send_rows()
    assert kinds(list(edge.hands.sent)) == ["NBIRTH", "NDATA", "NDATA", "NDATA"]


def test_many_wishes_for_a_rebirth_at_once_bring_one(edge: SendingEdge) -> None:
    edge.up()
    edge.hands.sent.clear()
    edge.hear(*[commands.make_command("pulsebms", "pack-1", {metrics.REBIRTH: True}, 1)] * 50)
    assert kinds(list(edge.hands.sent)) == ["NBIRTH"]


def test_births_on_request_are_a_second_apart(edge: SendingEdge) -> None:
    edge.up()
    edge.hands.sent.clear()
    for _ in range(35):
        edge.hear(commands.make_command("pulsebms", "pack-1", {metrics.REBIRTH: True}, 1))
        edge.hands.pass_s(0.1)
    assert kinds(list(edge.hands.sent)) == ["NBIRTH"] * 4


def send(edge: SendingEdge) -> int:
    """How many rows are sent now; nobody hears them."""
    edge.hands.sent.clear()
    edge.uplink.send_rows()
    return len(edge.hands.sent)


def widen(edge: SendingEdge, rows: int) -> None:
    """Send so many rows to a fleet that acknowledges them at once."""
    edge.up()
    edge.rows(rows)
    edge.drain()


def test_a_fleet_that_is_away_gets_a_few_of_the_newest_and_all_when_it_is_back(edge: SendingEdge) -> None:
    widen(edge, 200)
    edge.hear(commands.make_state("fleet", 5_000, online=False))
    edge.rows(100)
    assert send(edge) == START
    assert send(edge) == 0, "nobody acknowledges them"
    edge.hands.pass_s(RESEND_S)
    assert send(edge) == LEAST
    edge.hear(commands.make_state("fleet", 6_000, online=True))
    edge.drain()
    assert len(stored(edge)) == 300


def test_not_more_than_a_burst_goes_at_once(edge: SendingEdge) -> None:
    widen(edge, 2 * MAX_BURST)
    edge.rows(MAX_BURST + 50)
    assert send(edge) == MAX_BURST


def test_a_backlog_goes_in_ever_larger_parts_while_it_is_acknowledged_and_in_small_ones_when_not(
    edge: SendingEdge,
) -> None:
    edge.rows(200)
    edge.up()
    sent = list[int]()
    while edge.outbox.depth:
        edge.hands.pass_s(0.3)
        edge.uplink.send_rows()
        sent.append(kinds(edge.to_fleet()).count("NDATA"))
    assert sent == [4, 8, 16, 32, 64, 76]
    edge.rows(100)
    assert send(edge) == 100, "lost on the way"
    edge.hands.pass_s(RESEND_S)
    assert send(edge) == LEAST
    edge.hear(commands.make_command("pulsebms", "pack-1", {metrics.REBIRTH: True}, 1))
    assert send(edge) == START, "the host has lost what was on its way"


def test_status_is_told_when_it_changes_of_a_bundle_at_once(edge: SendingEdge) -> None:
    edge.up()
    edge.hands.pass_s(5.0)
    edge.to_fleet()
    edge.uplink.publish_status(STATUS)
    assert not edge.hands.sent  # the birth has said it
    edge.uplink.publish_status({**STATUS, metrics.DEPTH: 4})
    edge.uplink.publish_status({**STATUS, metrics.DEPTH: 5})
    assert len(edge.hands.sent) == 1
    edge.uplink.publish_status({**STATUS, metrics.STATE: "desired"})
    edge.to_fleet()
    assert edge.desk.host.nodes["pack-1"].status[metrics.STATE] == "desired"


def test_a_piece_of_a_bundle_is_answered_even_where_nothing_changed(edge: SendingEdge) -> None:
    edge.up()
    edge.uplink.publish_status(STATUS)
    edge.hands.sent.clear()
    piece = {metrics.DESIRED: "cd" * 32, metrics.SIZE: 10, metrics.OFFSET: 0, metrics.CHUNK: b"x"}
    pieces = edge.uplink.handle_events([commands.make_command("pulsebms", "pack-1", piece, 1)], STATUS)
    assert [found.chunk for found in pieces] == [b"x"]
    edge.uplink.publish_status(STATUS)
    assert kinds(list(edge.hands.sent)) == ["NDATA"]


def test_each_connection_has_a_number_of_its_own_which_is_kept(edge: SendingEdge) -> None:
    edge.up()
    edge.hear(LinkDown("gone"))
    edge.up()
    assert edge.bd_seqs == [3, 4]


def test_a_disk_that_keeps_no_number_does_not_stop_the_uplink(edge: SendingEdge) -> None:
    def full(number: int) -> None:
        raise OSError(28, f"No space left for {number}")

    edge.uplink._store_bd_seq = full  # pyright: ignore[reportPrivateUsage]
    edge.up()
    assert kinds(list(edge.hands.sent)) == ["NBIRTH"]


def test_the_time_without_a_broker_is_summed_and_still_running(edge: SendingEdge) -> None:
    edge.hands.pass_s(1.0)
    edge.up()
    edge.hands.pass_s(5.0)
    edge.hear(LinkDown("gone"))
    edge.hands.pass_s(3.0)
    assert edge.uplink.outage_s == pytest.approx(4.0)


def test_garbage_from_the_broker_changes_nothing(edge: SendingEdge) -> None:
    edge.up()
    edge.rows(2)
    edge.hear(MqttMessage("spBv1.0/pulsebms/NCMD/pack-1", b"\xff\xfe"), MqttMessage("elsewhere", b""))
    assert edge.outbox.depth == 2
    assert sum(edge.node.refused.values()) == 2


@pytest.mark.parametrize("jump_ms", [-86_400_000, 86_400_000])
def test_a_clock_that_jumps_is_told_as_it_is_and_holds_nothing_up(edge: SendingEdge, jump_ms: int) -> None:
    edge.up()
    edge.rows(2)
    edge.hands.wall_ms += jump_ms
    edge.rows(2)
    edge.uplink.send_rows()
    edge.to_fleet()
    assert edge.outbox.depth == 0
    assert [t_ms - START_MS for _, t_ms in kept(edge)] == [0, 0, jump_ms, jump_ms]
