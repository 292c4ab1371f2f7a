"""What a subscription reads from the ring: every row, the newest ones, or a gap with its size."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from edge_bridge.fleet.live import messages
from edge_bridge.fleet.live.cursor import EventCursor, parse_cursor
from edge_bridge.fleet.live.news import DEPTH_MS, MAX_KNOWN, NodeNews
from edge_bridge.fleet.live.ring import EventRing, RowEvent, StateEvent
from edge_bridge.fleet.live.subscription import BEHIND, MOST, LiveSubscription
from tests.edge_bridge.fleet.live.serving import START_MS, make_record, make_row

if TYPE_CHECKING:
    from edge_bridge.fleet.live.subscription import EventBatch


def make_ring(rows: int, size: int = 100_000, nodes: int = 1) -> EventRing:
    ring = EventRing(size)
    for seq in range(1, rows + 1):
        ring.append(RowEvent(make_row(seq, f"pack-{seq % nodes}")))
    return ring


def subscribe(position: int = 0, exact_until: int = 0, period_s: float = 0.0, *devices: str) -> LiveSubscription:
    return LiveSubscription("1", frozenset(devices) or None, None, period_s, position, exact_until)


def seqs(batch: EventBatch) -> list[int]:
    return [event.row.seq for event in batch.rows]


def test_every_row_comes_once_and_in_order() -> None:
    ring, one = make_ring(MOST + 10), subscribe()
    assert seqs(one.read(ring, 0.0)) == list(range(1, MOST + 1))
    assert seqs(one.read(ring, 0.0)) == list(range(MOST + 1, MOST + 11))
    assert not one.read(ring, 0.0)
    ring.append(RowEvent(make_row(9_999)))
    assert seqs(one.read(ring, 0.0)) == [9_999]


def test_only_the_devices_that_were_asked_for() -> None:
    ring, one = make_ring(10, nodes=5), subscribe(0, 0, 0.0, "pack-3")
    assert seqs(one.read(ring, 0.0)) == [3, 8]


def test_slow_reader_gets_the_newest_row_of_each_device_and_is_told() -> None:
    ring, one = make_ring(BEHIND + 1, nodes=4), subscribe()
    batch = one.read(ring, 0.0)
    assert batch.is_slow
    assert sorted(seqs(batch)) == [BEHIND - 2, BEHIND - 1, BEHIND, BEHIND + 1]
    assert batch.skipped == BEHIND + 1 - 4
    assert not one.read(ring, 0.0)


def test_what_is_resumed_comes_whole_however_far_behind() -> None:
    ring = make_ring(3 * BEHIND)
    one, found = subscribe(0, ring.end), list[int]()
    while batch := one.read(ring, 0.0):
        assert not batch.is_slow
        found += seqs(batch)
    assert found == list(range(1, 3 * BEHIND + 1))


def test_ring_that_went_round_is_a_gap_of_a_named_size() -> None:
    ring, one = make_ring(150, size=100), subscribe()
    batch = one.read(ring, 0.0)
    assert (batch.missed, batch.missed_from) == (50, 0)
    assert seqs(batch) == list(range(51, 151))


def test_rows_that_were_lost_before_the_ring_are_a_gap() -> None:
    ring, one = make_ring(10), subscribe()
    ring.skip(7)
    ring.append(RowEvent(make_row(18)))
    batch = one.read(ring, 0.0)
    assert batch.missed == 17
    assert seqs(batch) == [18]


def test_rate_limits_the_rows_of_a_device_and_says_how_many_it_left_out() -> None:
    ring, one = make_ring(10, nodes=2), subscribe(0, 0, 0.5)
    batch = one.read(ring, 10.0)
    assert (sorted(seqs(batch)), batch.skipped, batch.is_slow) == ([9, 10], 8, False)
    ring.append(RowEvent(make_row(11, "pack-1")))
    assert not one.read(ring, 10.4)
    assert one.wait_s(ring, 10.4) == pytest.approx(0.1)
    assert seqs(one.read(ring, 10.5)) == [11]


def test_resent_row_does_not_hide_a_live_one() -> None:
    ring, one = EventRing(10), subscribe(0, 0, 1.0)
    ring.append(RowEvent(make_row(100)))
    ring.append(RowEvent(make_row(5, historical=True)))
    assert seqs(one.read(ring, 0.0)) == [100]


def test_state_is_between_rows_in_its_order() -> None:
    ring, one = make_ring(1), subscribe()
    ring.append(StateEvent(make_record(online=False)))
    batch = one.read(ring, 0.0)
    assert [event.record.online for event in batch.states] == [False]


@pytest.mark.parametrize(
    "text", ["", "1", "x-1", "0123abcd-", "0123abcd--1", "0123abcd-1 ", "0123ABCD-1", "0123abcd-٣"]
)
def test_text_that_is_no_cursor(text: str) -> None:
    assert parse_cursor(text) is None


def test_cursor_is_read_as_it_was_written() -> None:
    cursor = EventCursor("0123abcd", 42)
    assert parse_cursor(str(cursor)) == cursor


# ---- which states are news


def test_measured_values_come_with_rows_and_are_no_news() -> None:
    news = NodeNews()
    first, later = make_record(Pack_SoC=0.5), make_record(Pack_SoC=0.6)
    assert news.update([first], {"pack-1"}, START_MS) == [first]
    assert news.update([later], {"pack-1"}, START_MS) == []
    assert news.records["pack-1"] == later


@pytest.mark.parametrize("changed", [make_record(online=False), make_record(Bundle_State="healthy")])
def test_what_no_row_has_is_news(changed: object) -> None:
    news = NodeNews()
    news.update([make_record()], {"pack-1"}, START_MS)
    assert news.update([changed], {"pack-1"}, START_MS) == [changed]  # type: ignore[list-item]


def test_value_without_a_row_is_news() -> None:
    news, later = NodeNews(), make_record(Pack_SoC=0.6)
    news.update([make_record(Pack_SoC=0.5)], set[str](), START_MS)
    assert news.update([later], set[str](), START_MS) == [later]
    assert news.update([later], set[str](), START_MS) == []


def test_depth_of_an_outbox_is_news_once_a_second() -> None:
    news = NodeNews()
    news.update([make_record(Outbox_Depth=1)], {"pack-1"}, START_MS)
    later = make_record(Outbox_Depth=2)
    assert news.update([later], {"pack-1"}, START_MS + DEPTH_MS - 1) == []
    assert news.update([later], {"pack-1"}, START_MS + DEPTH_MS) == [later]


def test_states_of_invented_names_do_not_add_up() -> None:
    news = NodeNews()
    news.update([make_record(f"x-{number}") for number in range(MAX_KNOWN + 10)], set[str](), START_MS)
    assert len(news.records) == MAX_KNOWN
    assert "x-0" not in news.records


@pytest.mark.parametrize("size", [1, 3, 7, 8, 20])
def test_many_events_at_once_lie_as_if_they_came_one_by_one(size: int) -> None:
    events, ring, other = [RowEvent(make_row(seq)) for seq in range(1, 21)], EventRing(size), EventRing(size)
    for start in range(0, len(events), 4):
        ring.extend(events[start : start + 4])
        for event in events[start : start + 4]:
            other.append(event)
        assert (ring.oldest, ring.end) == (other.oldest, other.end)
        assert ring.read(ring.oldest, ring.end) == other.read(other.oldest, other.end)
    assert ring.read(ring.oldest, ring.end) == events[-size:]


def test_each_client_gets_the_same_text_of_a_row() -> None:
    ring = make_ring(3)
    texts = set[str]()
    for _ in range(3):  # not kept, made to be kept, kept
        one = subscribe()
        texts.add(messages.encode_batch("00000000", one, one.read(ring, 0.0)))
    (text,) = texts
    assert [row[2] for row in json.loads(text)["rows"]] == [1, 2, 3]
