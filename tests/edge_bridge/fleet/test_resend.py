"""A database that was restored from a backup: the edges are asked for what it lacks, once and in measure."""

from __future__ import annotations

import shutil
from contextlib import closing
from typing import TYPE_CHECKING

from edge_bridge.edge.outbox import Outbox
from edge_bridge.fleet.process import FleetHost
from edge_bridge.fleet.resend_plan import AGAIN_S, CHECKS, MAX_ASKED, MAX_BUSY, MAX_VAIN, ResendPlan
from edge_bridge.mqtt import LinkUp, MqttMessage
from edge_bridge.ranges import find_ranges
from edge_bridge.sparkplug.acks import parse_acks
from tests.edge_bridge.edge.sending_edge import BOOT, SendingEdge, stored
from tests.edge_bridge.fleet.pack import Desk, Pack
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from edge_bridge.mqtt import LinkEvent

NOWHERE = "mqtt://127.0.0.1:9"


def ask(edge: SendingEdge, desk: Desk) -> int:
    """Let the desk do what `FleetHost` does in a turn; return the number of requests that reached the edge."""
    sent = 0
    for node, kept in desk.host.resends.due_checks(desk.now.mono_s):
        for text in desk.host.resends.note_missing(node, desk.store.find_missing(node, kept), desk.now.mono_s):
            sent += 1
            for boot, ranges in parse_acks(text).items():
                edge.outbox.resend(boot, ranges)
    return sent


def test_a_restored_database_gets_all_that_it_lacks(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "fleet.db")
    with closing(Outbox(tmp_path / "o.sqlite", BOOT)) as outbox:
        edge = SendingEdge(tmp_path, desk, outbox)
        edge.rows(100)
        edge.up()
        edge.drain()
        desk.close()
        shutil.copy(tmp_path / "fleet.db", tmp_path / "backup.db")
        desk = edge.desk = Desk(tmp_path / "fleet.db")
        edge.rows(100)
        edge.up()
        edge.drain()
        assert (len(stored(edge)), outbox.depth) == (200, 0)
        desk.close()
        desk = edge.desk = Desk(tmp_path / "backup.db")
        edge.up()
        edge.to_fleet()
        assert ask(edge, desk) == 1
        sent = edge.drain()
        assert (len(sent), stored(edge), outbox.depth) == (100, set(range(1, 201)), 0)
        (summary,) = desk.store.summary()
        assert (summary.missing, summary.duplicates) == (0, 0)
        desk.pass_s(AGAIN_S)
        assert ask(edge, desk) == 0
        edge.up()
        edge.to_fleet()
        assert ask(edge, desk) == 0  # nothing is missing, so nothing is asked
        desk.close()


def test_an_edge_of_the_version_before_is_left_alone(desk: Desk) -> None:
    pack = Pack()
    desk.hear(pack.birth(), pack.row(5))
    assert desk.host.resends.due_checks(desk.now.mono_s) == []


def test_a_host_asks_over_the_broker_with_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = list[MqttMessage]()
    desk = Desk(tmp_path / "other.db")
    with (
        closing(desk),
        closing(Outbox(tmp_path / "o.sqlite", BOOT)) as outbox,
        closing(FleetHost(NOWHERE, tmp_path / "fleet.db", lambda: desk.now, take_over=True)) as fleet,
    ):
        edge = SendingEdge(tmp_path, desk, outbox)
        edge.rows(10)
        outbox.acknowledge(BOOT, [(3, 9)])
        edge.up()
        link = fleet._link  # pyright: ignore[reportPrivateUsage]
        events: list[list[LinkEvent]] = [[LinkUp(None, 1)], [*edge.hands.sent]]

        def poll(_wait_s: float) -> list[LinkEvent]:
            return events.pop(0) if events else []

        monkeypatch.setattr(link, "poll", poll)
        monkeypatch.setattr(link, "publish", sent.append)
        monkeypatch.setattr(type(link), "is_up", True)
        wait_until(lambda: bool(fleet.turn(0.0) or fleet.view().flagged.get("resend_asked")), what="the request")
        edge.hear(*(message for message in sent if "NCMD" in message.topic))
        assert outbox.depth == 10
        assert fleet.view().flagged["resend_asked"] == 1


def test_requests_are_bounded_and_end_when_no_row_comes() -> None:
    plan, missing = ResendPlan(), {"aa": [(1, 5), (10, 10 * MAX_ASKED)]}
    for number in range(3 * MAX_BUSY):
        plan.note_birth(f"pack-{number}", {"aa": ((1, 10 * MAX_ASKED),)}, 0.0)
    due = plan.due_checks(0.0)
    assert len(due) == CHECKS
    for node, _ in due:
        (text,) = plan.note_missing(node, missing, 0.0)
        assert parse_acks(text) == {"aa": ((1, 5), (10, MAX_ASKED + 4))}
    assert plan.due_checks(0.0) == []
    now_s, asked = 0.0, 0
    for _ in range(200):
        now_s += AGAIN_S
        for node, _ in plan.due_checks(now_s):
            asked += len(plan.note_missing(node, missing, now_s))
    assert plan.due_checks(now_s) == []
    assert asked <= 3 * MAX_BUSY * (MAX_VAIN + 1)


def test_a_node_that_sends_is_asked_until_all_is_there() -> None:
    plan, left = ResendPlan(), 5 * MAX_ASKED
    plan.note_birth("pack-1", {"aa": ((1, left),)}, 0.0)
    now_s = 0.0
    while left:
        for node, _ in plan.due_checks(now_s):
            left -= bool(plan.note_missing(node, {"aa": find_ranges(range(1, left + 1))}, now_s)) * MAX_ASKED
        now_s += AGAIN_S
        assert now_s < 100.0
    for node, _ in plan.due_checks(now_s):
        assert plan.note_missing(node, {}, now_s) == []
    assert plan.due_checks(now_s + 1e6) == []
