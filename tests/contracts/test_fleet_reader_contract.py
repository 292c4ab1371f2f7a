"""What the API asks of a fleet's database, on an SQLite file and on a real PostgreSQL server."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from drivers.errors import StoreFailed
from edge_bridge.fleet.audit.chain import AuditRecord, find_broken_link
from edge_bridge.fleet.store.audit_chain import AuditNote
from edge_bridge.fleet.store.fleet_reader import EventFilter, FleetReader
from edge_bridge.fleet.store.fleet_writer import FleetWriter
from edge_bridge.fleet.store.records import MAX_EVENTS, Batch, Birth, NodeEvent, NodeRecord
from edge_bridge.fleet.store.tables import DAY_MS
from edge_bridge.row_span import RowSpan
from tests.contracts.test_store_contract import BOOT, T_MS, row

if TYPE_CHECKING:
    from collections.abc import Generator

    from edge_bridge.fleet.store.port import FleetStore

OFFLINE = NodeEvent("pack-1", T_MS, "offline", "warning", "gone\0", is_alarm=True)
ONLINE = NodeEvent("pack-1", T_MS + 5, "online", "info", "back", clears=("offline",))


@pytest.fixture
def reader(store: FleetStore, where: str) -> Generator[FleetReader]:
    with closing(FleetReader(where)) as made:
        yield made


@pytest.fixture
def writer(store: FleetStore, where: str) -> Generator[FleetWriter]:
    with closing(FleetWriter(where)) as made:
        yield made


def test_rows_counts_births_and_notes_are_read_as_they_were_stored(store: FleetStore, reader: FleetReader) -> None:
    record = NodeRecord("pack-1", online=True, last_ms=T_MS, status={"Gate/Verdict": "held"})
    births = [Birth("pack-1", T_MS + number, number, None, None) for number in range(3)]
    rows = [row(1), row(3, t_ms=T_MS + DAY_MS), row(4, t_ms=T_MS + 2 * DAY_MS), row(2, "0b", t_ms=T_MS + 7)]
    store.commit(Batch(rows, births, {"pack-1": record}))
    span = (T_MS, T_MS + 3 * DAY_MS)
    assert [(one.boot, one.seq) for one in reader.read_rows("pack-1", span, None, 9)] == [
        *((BOOT, seq) for seq in (1, 3, 4)),
        ("0b", 2),
    ]
    assert [(one.boot, one.seq) for one in reader.read_rows("pack-1", span, (BOOT, 3), 9)] == [(BOOT, 4), ("0b", 2)]
    assert [one.seq for one in reader.read_rows("pack-1", (T_MS + DAY_MS, T_MS + DAY_MS + 1), None, 9)] == [3]
    newest = reader.read_newest_row("pack-1")
    assert newest is not None
    assert (newest.seq, newest.voltage_v, reader.read_newest_row("pack-2")) == (4, 80.0, None)
    assert [birth.bd_seq for birth in reader.read_births("pack-1", 2)] == [2, 1]
    ((note, counts),) = reader.read_devices("", 9)
    assert (note[0], bool(note[1]), note[2], counts) == ("pack-1", True, T_MS, (6, 4, 0))


def test_devices_are_read_in_slices_by_name(store: FleetStore, reader: FleetReader) -> None:
    names = [f"pack-{number}" for number in (3, 1, 5, 2, 4)]
    store.commit(Batch(notes={name: NodeRecord(name, online=False, last_ms=None, status={}) for name in names}))
    slices, after = list[list[str]](), ""
    while part := reader.read_devices(after, 2):
        slices.append([note[0] for note, _ in part])
        after = slices[-1][-1]
    assert slices == [["pack-1", "pack-2"], ["pack-3", "pack-4"], ["pack-5"]]


def test_holes_and_gaps_are_found(store: FleetStore, reader: FleetReader) -> None:
    store.commit(Batch([row(3), row(4), row(9, gap=RowSpan(BOOT, 5, 6))]))
    assert reader.read_holes("pack-1", BOOT, 12) == [(1, 2), (5, 8), (10, 12)]
    assert [tuple(gap) for gap in reader.read_gaps("pack-1", ("", 0), 9)] == [(BOOT, 5, 6)]
    assert reader.read_gaps("pack-1", (BOOT, 5), 9) == []


def test_an_alarm_is_cleared_and_acknowledged(store: FleetStore, reader: FleetReader, writer: FleetWriter) -> None:
    store.commit(Batch(events=[OFFLINE]))
    (alarm,) = reader.read_events(EventFilter(is_raised=True, is_alarm=True, is_acknowledged=False), None, 9)
    audit = AuditNote(T_MS, "anna", "alarm.acknowledge", "alarm/1")
    assert writer.acknowledge(alarm.id, "seen", audit) is not None
    assert writer.acknowledge(alarm.id, "seen", audit) is None
    store.commit(Batch(events=[ONLINE, OFFLINE, OFFLINE]))
    found = reader.read_events(EventFilter("pack-1", "offline"), None, 9)
    assert [event.cleared_ms for event in found] == [None, T_MS, T_MS + 5]
    assert len(reader.read_events(EventFilter(is_raised=True, is_alarm=True), None, 9)) == 1
    assert [entry.who for entry in reader.read_audit(None, 9)] == ["anna"]


def test_events_of_a_node_are_bounded_and_forgotten_with_it(store: FleetStore, reader: FleetReader) -> None:
    store.commit(Batch([row(1)], events=[ONLINE] * (MAX_EVENTS + 3)))
    assert len(reader.read_events(EventFilter(), None, 2 * MAX_EVENTS)) == MAX_EVENTS
    store.forget("pack-1", delete_rows=True)
    assert reader.read_events(EventFilter(), None, 9) == []


def test_a_chain_does_not_fork_when_several_append(reader: FleetReader, writer: FleetWriter, where: str) -> None:
    def append() -> None:
        with closing(FleetWriter(where)) as own:
            for _ in range(10):
                own.append(AuditNote(T_MS, "ä", "test", "x"))

    threads = [threading.Thread(target=append) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = [AuditRecord(*entry) for entry in reversed(reader.read_audit(None, 99))]
    head, broken = find_broken_link(entries)
    assert (head.number, broken) == (30, None)


def test_a_reader_cannot_write_and_sees_commits_while_people_write(
    store: FleetStore, reader: FleetReader, writer: FleetWriter
) -> None:
    with pytest.raises(StoreFailed), reader.begin() as connection:
        connection.execute(text("DELETE FROM node"))
    with writer.begin():  # open, and without a change
        assert reader.read_devices("", 9) == []
    store.commit(Batch([row(1)]))
    assert len(reader.read_boots("pack-1")) == 1
