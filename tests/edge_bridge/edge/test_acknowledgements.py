"""What an edge keeps until the fleet says that it has stored it, and which acknowledgements it believes."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from edge_bridge.edge.outbox import RESEND_S, Outbox
from edge_bridge.fleet import commands
from edge_bridge.mqtt import LinkDown
from tests.edge_bridge.edge.sending_edge import BOOT, SendingEdge, stored

if TYPE_CHECKING:
    from pathlib import Path

    from tests.edge_bridge.fleet.pack import Desk


def test_rows_leave_only_when_the_fleet_has_stored_them(edge: SendingEdge) -> None:
    edge.up()
    edge.rows(4)
    edge.uplink.send_rows()
    assert edge.outbox.depth == 4
    edge.to_fleet()
    assert edge.outbox.depth == 0
    assert edge.outbox.stored == 4
    assert edge.desk.refused == {}


def test_rows_that_were_lost_on_the_way_come_again(edge: SendingEdge) -> None:
    edge.up()
    edge.to_fleet()
    edge.rows(3)
    edge.uplink.send_rows()
    edge.hands.sent.clear()  # a broker that was killed
    edge.hear(LinkDown("connection lost"))
    edge.hands.pass_s(2.0)
    edge.up()
    edge.uplink.send_rows()
    edge.to_fleet()
    assert (edge.outbox.depth, stored(edge)) == (0, {1, 2, 3})
    assert edge.uplink.outage_s == pytest.approx(2.0)


def test_an_acknowledgement_that_was_lost_brings_no_row_twice(edge: SendingEdge) -> None:
    edge.up()
    edge.rows(3)
    edge.uplink.send_rows()
    edge.desk.hear(*edge.hands.sent)
    edge.hands.sent.clear()
    edge.desk.sent.clear()  # the fleet was killed after its commit
    edge.hands.pass_s(RESEND_S)
    edge.desk.pass_s(RESEND_S)
    edge.drain()
    assert edge.outbox.depth == 0
    assert len(stored(edge)) == 3


def test_an_acknowledgement_of_rows_that_were_never_sent_is_refused_as_a_whole(edge: SendingEdge) -> None:
    edge.up()
    edge.rows(3)
    edge.uplink.send_rows()
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
        before = SendingEdge(tmp_path, desk, outbox)
        before.up()
        before.rows(2)
        before.uplink.send_rows()
    with closing(Outbox(tmp_path / "again.sqlite", "00000000000000bb")) as outbox:
        after = SendingEdge(tmp_path, desk, outbox)
        after.up()
        after.hear(*commands.make_acknowledgements("pulsebms", {"pack-1": {BOOT: [1, 2]}}, 1))
        assert outbox.depth == 2
        after.uplink.send_rows()
        after.to_fleet()
        assert outbox.depth == 0


def test_acknowledgements_of_another_host_are_refused_and_those_without_an_id_are_not(edge: SendingEdge) -> None:
    edge.up()
    edge.rows(2)
    edge.uplink.send_rows()
    kept = {"pack-1": {BOOT: [1]}}
    edge.hear(*commands.make_acknowledgements("pulsebms", kept, 1, host="fleet-2", with_host=lambda _: True))
    assert (edge.outbox.depth, edge.node.refused) == (2, {"other_host": 1})
    edge.hear(*commands.make_acknowledgements("pulsebms", kept, 1, host="fleet", with_host=lambda _: True))
    assert edge.outbox.depth == 1
    edge.hear(*commands.make_acknowledgements("pulsebms", {"pack-1": {BOOT: [2]}}, 1))  # a fleet of the version before
    assert edge.outbox.depth == 0
