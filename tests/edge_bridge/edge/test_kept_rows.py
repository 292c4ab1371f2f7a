"""Acknowledged rows that an edge keeps: for how long, at whose cost, and how a fleet that lost them gets them again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from edge_bridge import metrics
from edge_bridge.edge.kept_rows import LOOK_MS, MAX_RESENT
from edge_bridge.edge.outbox import Outbox
from edge_bridge.fleet import commands
from edge_bridge.sparkplug import acks, wire
from tests.edge_bridge.edge.rows import BOOT, NEXT, everything, gaps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.edge_bridge.edge.sending_edge import SendingEdge

DAY_MS = 86_400_000
VERSION_2 = """
CREATE TABLE row(place INTEGER PRIMARY KEY, boot, seq, t_ms, put_s, gap, body, crc);
CREATE TABLE boot(boot TEXT PRIMARY KEY, last, stored, evicted, damaged, crc) WITHOUT ROWID;
CREATE TABLE bad_row(place, boot, seq, t_ms, put_s, gap, body, crc);
CREATE UNIQUE INDEX row_key ON row(boot, seq);
CREATE INDEX raw ON row(place) WHERE gap = 0;
PRAGMA application_id = 1346522968;
PRAGMA user_version = 2;
"""


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with closing(Outbox(tmp_path / "o.sqlite", BOOT, capacity_rows=100)) as opened:
        yield opened


def fill(outbox: Outbox, rows: int, t_ms: int = 0) -> None:
    for _ in range(rows):
        outbox.put({metrics.CURRENT: 1.0}, t_ms, 0.0)
    outbox.commit(t_ms, 0.0)


def sums_up(outbox: Outbox) -> bool:
    return outbox.produced == outbox.stored + outbox.depth + outbox.evicted


def test_a_kept_row_is_no_depth_and_is_not_sent_by_itself(outbox: Outbox) -> None:
    fill(outbox, 10)
    outbox.acknowledge(BOOT, [(1, 8)])
    outbox.mark_unsent()
    assert (outbox.depth, outbox.stored, outbox.kept) == (2, 8, {BOOT: [(1, 8)]})
    assert [row.key.seq for row in outbox.due(100, 0.0)] == [10, 9]


def test_a_fifth_of_the_outbox_is_kept_at_most_the_newest(outbox: Outbox) -> None:
    for first in range(1, 91, 10):
        fill(outbox, 10)
        outbox.acknowledge(BOOT, [(first, first + 9)])
    fill(outbox, 1)
    ((first, last),) = outbox.kept[BOOT]
    assert last == 90
    assert 15 <= last - first + 1 <= 20
    assert sums_up(outbox)


def test_rows_that_wait_take_the_room_of_kept_ones_and_none_of_them_is_evicted_for_those(outbox: Outbox) -> None:
    fill(outbox, 20)
    outbox.acknowledge(BOOT, [(1, 20)])
    fill(outbox, 100)
    assert (outbox.depth, outbox.evicted, outbox.kept) == (100, 0, {})
    assert not gaps(everything(outbox))


def test_kept_rows_go_after_their_days_whatever_the_clock_does(outbox: Outbox) -> None:
    fill(outbox, 5, t_ms=100 * DAY_MS)
    outbox.acknowledge(BOOT, [(1, 5)])
    fill(outbox, 5, t_ms=104 * DAY_MS)
    outbox.acknowledge(BOOT, [(6, 10)])
    for jump in (101, 90):
        fill(outbox, 1, t_ms=jump * DAY_MS)
        assert outbox.kept == {BOOT: [(1, 10)]}
    fill(outbox, 1, t_ms=108 * DAY_MS)
    assert outbox.kept == {BOOT: [(6, 10)]}
    fill(outbox, 1, t_ms=111 * DAY_MS + LOOK_MS)
    assert (outbox.kept, outbox.depth) == ({}, 4)


def test_nothing_is_kept_for_no_days(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", BOOT, keep_days=0.0)) as outbox:
        fill(outbox, 5)
        assert outbox.acknowledge(BOOT, [(1, 5)]) == 5
        assert (outbox.kept, outbox.resend(BOOT, [(1, 5)]), outbox.stored) == ({}, 0, 5)


def test_rows_that_are_asked_for_wait_again_and_are_acknowledged_again(outbox: Outbox) -> None:
    fill(outbox, 10)
    outbox.acknowledge(BOOT, [(1, 8)])
    assert outbox.resend(BOOT, [(3, 5), (7, 10), (90, 99)]) == 5
    assert outbox.resend(BOOT, [(3, 5)]) == 0
    assert outbox.resend("ff", [(1, 8)]) == 0
    assert ([row.key.seq for row in everything(outbox)], outbox.stored) == ([10, 9, 8, 7, 5, 4, 3], 3)
    assert sums_up(outbox)
    assert outbox.acknowledge(BOOT, [(1, 10)]) == 7
    assert (outbox.depth, outbox.stored) == (0, 10)


def test_one_request_brings_back_a_bounded_number_of_rows(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", BOOT)) as outbox:
        fill(outbox, MAX_RESENT + 100)
        outbox.acknowledge(BOOT, [(1, MAX_RESENT + 100)])
        assert outbox.resend(BOOT, [(1, 60), (61, MAX_RESENT + 100)]) == MAX_RESENT
        assert sums_up(outbox)


def test_kept_rows_survive_a_restart(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", BOOT)) as before:
        fill(before, 10)
        before.acknowledge(BOOT, [(2, 6)])
    with closing(Outbox(tmp_path / "o.sqlite", NEXT)) as after:
        assert (after.kept, after.depth, after.stored) == ({BOOT: [(2, 6)]}, 5, 5)
        assert after.resend(BOOT, [(2, 6)]) == 5
        assert (after.depth, after.stored, after.notice) == (10, 0, "")


@pytest.mark.parametrize("wrong", [0, 1, "'x'", "crc"])
def test_a_row_with_a_wrong_mark_waits_again(tmp_path: Path, wrong: object) -> None:
    path = tmp_path / "o.sqlite"
    with closing(Outbox(path, BOOT)) as before:
        fill(before, 10)
        before.acknowledge(BOOT, [(1, 6)])
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"UPDATE row SET kept = {wrong} WHERE seq IN (3, 9)")  # noqa: S608  # our own values
        database.commit()
    with closing(Outbox(path, NEXT)) as after:
        assert {row.key.seq for row in everything(after)} == {3, 7, 8, 9, 10}
        assert (after.depth, after.stored) == (5, 5)
        assert sums_up(after)


def test_a_damaged_kept_row_is_set_aside_and_named_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    with closing(Outbox(path, BOOT)) as before:
        fill(before, 10)
        before.acknowledge(BOOT, [(1, 6)])
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE row SET body = '{}' WHERE seq = 3")
        database.commit()
    with closing(Outbox(path, NEXT)) as after:
        assert (after.depth, after.stored, after.evicted, gaps(everything(after))) == (4, 6, 0, set())
        assert after.resend(BOOT, [(1, 6)]) == 5
        assert sums_up(after)


def test_an_outbox_of_version_2_is_converted_with_all_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    with closing(Outbox(path, BOOT)) as now:
        fill(now, 7)
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT place, boot, seq, t_ms, put_s, gap, body, crc FROM row").fetchall()
        boots = database.execute("SELECT * FROM boot").fetchall()
    path.unlink()
    with closing(sqlite3.connect(path)) as database:
        database.executescript(VERSION_2)
        database.executemany("INSERT INTO row VALUES(?, ?, ?, ?, ?, ?, ?, ?)", rows)
        database.executemany("INSERT INTO boot VALUES(?, ?, ?, ?, ?, ?)", boots)
        database.commit()
    with closing(Outbox(path, NEXT)) as after:
        assert (after.notice, after.depth, after.kept) == ("", 7, {})
        after.acknowledge(BOOT, [(1, 4)])
        assert after.kept == {BOOT: [(1, 4)]}


def test_a_birth_names_what_is_kept_and_a_request_brings_it(edge: SendingEdge) -> None:
    edge.rows(6)
    edge.up()
    edge.drain()
    edge.up()
    (birth,) = (message for message in edge.hands.sent if "NBIRTH" in message.topic)
    declared = {metric.name: metric.value for metric in wire.decode(birth.payload).metrics}
    assert acks.parse_acks(str(declared[metrics.KEPT])) == {edge.outbox.boot: ((1, 6),)}
    edge.hands.sent.clear()
    asked = {metrics.RESEND: f"{edge.outbox.boot}:2-3", metrics.ACKNOWLEDGED_BY: "fleet"}
    edge.hear(commands.make_command("pulsebms", "pack-1", asked, 0))
    edge.uplink.send_rows()
    assert len(edge.hands.sent) == 2
    edge.hear(commands.make_command("pulsebms", "pack-1", asked | {metrics.ACKNOWLEDGED_BY: "other"}, 0))
    edge.hear(commands.make_command("pulsebms", "pack-1", asked | {metrics.RESEND: "rubbish"}, 0))
    assert (edge.node.refused["other_host"], edge.node.refused["acks"]) == (1, 1)
