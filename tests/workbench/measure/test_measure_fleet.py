"""`measure fleet`: its load sends what an edge sends, and the short form kills real servers and loses nothing."""

from __future__ import annotations

import fcntl
import math
import sys
import termios
from contextlib import closing
from typing import TYPE_CHECKING, cast

import numpy as np
import psycopg
import pytest

from edge_bridge import metrics
from edge_bridge.edge.node import EdgeNode, NodeNames
from edge_bridge.edge.row import OutboxRow, RowKey
from edge_bridge.fleet import commands
from edge_bridge.fleet.host import HostApplication, Instant
from edge_bridge.mqtt_frames import MqttMessage
from edge_bridge.sparkplug import wire
from tests.postgres import PostgresServer, serve
from tests.waiting import wait_until
from workbench.compose.broker import find_free_port, has_mosquitto
from workbench.demo.demo_postgres import find_server, open_postgres
from workbench.measure import fleet
from workbench.measure.fleet_load.downtime_budget import ALLOWED_MIN, FAILURES, compute_downtime_min, format_budget
from workbench.measure.fleet_load.load_device import read_acknowledged
from workbench.measure.fleet_load.load_outbox import CAPACITY, LoadOutbox, count_within
from workbench.measure.fleet_load.load_process import PRODUCED, LoadProcess
from workbench.measure.fleet_load.mqtt_packets import PUBLISH, make_publish, split_publish, take_packets
from workbench.measure.fleet_load.packet_template import METRICS_OF_ROW, STATUS
from workbench.measure.fleet_load.packet_writer import PacketWriter, name_device
from workbench.measure.fleet_load.stored_rows import RowBalance, count_rows
from workbench.measure.job import MeasureJob

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from edge_bridge.metrics import Scalar

T_MS = 1_790_000_000_000
DEVICES = 50


def make_rows(writer: PacketWriter, *rows: tuple[int, int, int], historical: bool = False) -> list[MqttMessage]:
    """Make rows of (device, seq, number); return them as messages."""
    device, seq, number = (np.array(column) for column in zip(*rows, strict=True))
    packets = writer.make_rows(device, seq, number, T_MS + number, np.full(len(rows), historical))
    return [as_message(packet) for packet in packets]


def as_message(packet: bytes) -> MqttMessage:
    ((kind, body),) = take_packets(bytearray(packet))
    assert kind == PUBLISH
    topic, payload = split_publish(body)
    return MqttMessage(topic.decode(), payload)


@pytest.mark.parametrize("historical", [False, True])
@pytest.mark.parametrize(("seq", "number"), [(0, 1), (1, 127), (127, 128), (128, 129), (255, 16_384), (3, 1 << 21)])
def test_a_patched_row_has_the_bytes_that_an_edge_would_send(seq: int, number: int, historical: bool) -> None:  # noqa: FBT001  # pytest gives it by name
    writer = PacketWriter(3, salt=7)
    (sent,) = make_rows(writer, (2, seq, number), historical=historical)
    measured = {metric.name or metric.alias: metric.value for metric in wire.decode(sent.payload).metrics}
    values = {name: cast("Scalar", measured[metrics.ALIASES[name]]) for name in STATUS}
    node = EdgeNode(NodeNames("pulsebms", name_device(2), "fleet"), 0)
    row = OutboxRow(RowKey(writer.boots[2], number), T_MS + number, values, live=not historical)
    for _ in range(seq):
        node.make_status({}, T_MS)
    assert sent == node.make_row(row, T_MS + number)
    assert len(measured) == METRICS_OF_ROW == 30


@pytest.mark.parametrize("number", [0, 1, 300])
def test_a_patched_birth_is_that_of_an_edge(number: int) -> None:
    writer, names = PacketWriter(3, salt=7), NodeNames("pulsebms", name_device(1), "fleet")
    node, edge = EdgeNode(names, 5), as_message(writer.make_birth(1, number, T_MS, 5))
    newest = {metrics.ROW_BOOT: writer.boots[1], metrics.ROW_SEQ: number} if number else {}
    assert edge == node.make_birth({**STATUS, **newest}, T_MS, node.make_will(T_MS))


def test_the_host_reads_the_rows_of_all_devices_by_layouts() -> None:
    writer, host = PacketWriter(4, salt=7), HostApplication("pulsebms", "fleet")
    births = [as_message(writer.make_birth(device, 0, T_MS, 0)) for device in range(4)]
    host.handle_messages(births, Instant(T_MS, 0.0), 0)
    host.handle_messages(make_rows(writer, *((device, 1, 1) for device in range(4))), Instant(T_MS, 0.0), 0)
    strict = list[MqttMessage]()
    judge = host.handle_message
    host.handle_message = lambda message, now, will_ms: (strict.append(message), judge(message, now, will_ms))[1]  # type: ignore[method-assign]
    host.handle_messages(make_rows(writer, *((device, 2, 2) for device in range(4))), Instant(T_MS, 0.0), 0)
    batch, _ = host.drain()
    assert not strict
    assert {(row.node, row.seq) for row in batch.rows} == {(name_device(n), seq) for n in range(4) for seq in (1, 2)}
    assert not batch.counts


def test_a_device_finds_its_rows_in_what_the_fleet_acknowledges() -> None:
    kept = {"load-00001": {"0" * 16: [1, 2, 3, 7], "1" * 16: [4]}, "load-00002": {"2" * 16: [5]}}
    told = commands.make_acknowledgements("pulsebms", kept, T_MS, host="fleet", with_host=lambda node: node[-1] == "1")
    first, second = (message.payload for message in told)
    assert read_acknowledged(first, b"0" * 16) == [(1, 3), (7, 7)]
    assert read_acknowledged(first, b"1" * 16) == [(4, 4)]
    assert read_acknowledged(second, b"2" * 16) == [(5, 5)]
    assert read_acknowledged(second, b"1" * 16) == []


def test_packets_that_come_in_pieces_are_taken_whole() -> None:
    packet = make_publish("a/b", b"x" * 300)
    buffer, found = bytearray(), list[tuple[int, bytes]]()
    for byte in packet * 2 + b"\xd0\x00":
        buffer.append(byte)
        found += take_packets(buffer)
    assert [kind for kind, _ in found] == [PUBLISH, PUBLISH, 0xD0]
    assert split_publish(found[1][1]) == (b"a/b", b"x" * 300)


def test_an_outbox_sends_again_until_it_is_acknowledged_and_makes_nothing_when_full() -> None:
    outbox, both = LoadOutbox(2), np.arange(2)
    outbox.make_rows(both, T_MS, 0.0)
    outbox.make_rows(np.array([1]), T_MS + 1, 1.0)
    assert outbox.take_due(both, 1.0).numbers.tolist() == [1, 2, 1], "the newest first"
    assert not len(outbox.take_due(both, 5.9).numbers)
    late = outbox.take_due(both, 6.1)
    assert (late.devices.tolist(), late.historical.all()) == ([0, 1, 1], True)
    assert not len(outbox.take_due(both, 12.0).numbers), "twice as long"
    outbox.make_rows(np.array([1]), T_MS + 12, 12.0)
    assert not len(outbox.take_due(both, 12.0).numbers), "as few are on their way as after a loss"
    outbox.mark_unsent(1)
    assert outbox.take_due(both, 12.0).devices.tolist() == [1, 1, 1]
    assert outbox.acknowledge(1, [(1, 3)], 12.0) == [12.0, 11.0, 0.0]
    assert outbox.acknowledge(1, [(1, 2)], 13.0) == []
    assert (outbox.waiting, outbox.proven_s.tolist()) == (1, [-math.inf, 12.0])
    for _ in range(CAPACITY + 5):
        outbox.make_rows(both, T_MS, 20.0)
    assert outbox.produced.tolist() == [CAPACITY, CAPACITY + 3]
    assert outbox.waiting == 2 * CAPACITY


def test_entries_of_one_owner_are_counted() -> None:
    assert count_within(np.array([4, 4, 4, 1, 7, 7])).tolist() == [0, 1, 2, 0, 0, 1]
    assert count_within(np.zeros(0, np.int64)).tolist() == []


def test_the_budget_is_what_its_table_adds_up_to() -> None:
    recovery_s = {"broker": 10.0, "host": 20.0, "PostgreSQL": 15.0}
    lines = format_budget(recovery_s)[2:]
    assert len(lines) == len(FAILURES)
    assert sum(float(line.split("|")[4]) for line in lines) == pytest.approx(compute_downtime_min(recovery_s), abs=0.05)
    assert pytest.approx(43.2) == ALLOWED_MIN
    assert compute_downtime_min(dict.fromkeys(recovery_s, 600.0)) > ALLOWED_MIN, "slow recoveries use it up"


@pytest.fixture(scope="module")
def server() -> Generator[PostgresServer]:
    yield from serve()


def test_a_long_answer_of_the_load_arrives_whole_although_nobody_reads_it_at_once() -> None:
    with closing(LoadProcess(("127.0.0.1", find_free_port()), 15_000)) as load:  # nobody listens there
        pipe = load.pipe
        pipe.send(PRODUCED)
        wait_until(lambda: count_unread(pipe.fileno()) > 100_000, what="an answer that fills the pipe")
        assert len(pipe.recv()) == 15_000


def count_unread(number: int) -> int:
    return int.from_bytes(fcntl.ioctl(number, termios.FIONREAD, bytes(4)), sys.byteorder)


@pytest.mark.live
def test_the_short_form_loses_nothing_and_comes_back_after_each_kill(tmp_path: Path) -> None:
    if find_server() is None:
        pytest.skip("no PostgreSQL server is installed (Debian: apt install postgresql)")
    if not has_mosquitto():
        pytest.skip("no mosquitto is installed (Debian: apt install mosquitto)")
    said = list[str]()
    rows = list(fleet.measure(MeasureJob(said.append, tmp_path, share=DEVICES / fleet.DEVICES)))
    assert [row.metric for row in rows] == list(fleet.METRICS)
    assert all(math.isfinite(row.value) for row in rows)
    values = {row.metric: row.value for row in rows}
    assert [values[one] for one in (fleet.LOST, fleet.TWICE, fleet.KILLED_LOST, fleet.KILLED_TWICE)] == [0.0] * 4
    assert all(fleet.SHORTEST_PAUSE_S < values[one] < 100.0 for one in fleet.RECOVERY.values())
    assert not [words for words in said if "does not keep up" in words]


def test_rows_that_are_missing_or_too_many_in_the_tables_are_counted(server: PostgresServer) -> None:
    url = server.make_database()
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute("CREATE TABLE row (node text, boot text, seq bigint)")
        connection.execute("INSERT INTO row SELECT 'a', 'aa', n FROM generate_series(1, 10) AS n")
    assert count_rows(url, {"aa": 10}) == RowBalance(10, 0, 0)
    assert count_rows(url, {"aa": 12, "bb": 3}) == RowBalance(15, 5, 0)
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute("INSERT INTO row VALUES ('a', 'aa', 3), ('a', 'aa', 3), ('b', 'cc', 1)")
    assert count_rows(url, {"aa": 10}) == RowBalance(10, 0, 3), "two copies, and a row that no device made"


def test_a_killed_server_starts_again_with_what_was_committed() -> None:
    programs = find_server()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed (Debian: apt install postgresql)")
    with open_postgres(programs) as server:
        with closing(psycopg.connect(server.url, autocommit=True)) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
            server.kill()
        server.start()
        with closing(psycopg.connect(server.url)) as connection:
            assert connection.execute("SELECT one FROM kept").fetchall() == [(1,)]


def test_it_is_left_out_where_a_server_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.demo.demo_postgres.find_server", lambda: None)
    said = list[str]()
    assert list(fleet.measure(MeasureJob(said.append, tmp_path))) == []
    assert "apt install" in said[0]
