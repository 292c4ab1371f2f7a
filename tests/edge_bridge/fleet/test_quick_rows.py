"""The quick way to rows gives what the strict path alone gives: rows, counters, states, requests, in the same order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_bridge import metrics
from edge_bridge.fleet.host import HostApplication, Instant
from edge_bridge.fleet.quick_rows import MAX_LESSONS
from edge_bridge.mqtt import MqttMessage
from edge_bridge.sparkplug import wire
from edge_bridge.sparkplug.payload import DataType, Payload, SparkplugMetric, Value
from tests.edge_bridge.fleet.pack import START_MS, Desk

if TYPE_CHECKING:
    from collections.abc import Sequence

BOOTS = ("00c0ffee00000001", "00c0ffee00000002")
OTHERS = {
    "Other/Float": DataType.FLOAT,
    "Other/Byte": DataType.UINT8,
    "Other/Word": DataType.INT16,
    "Other/Wide": DataType.UINT32,
    "Other/Flag": DataType.BOOLEAN,
    "Other/Double": DataType.DOUBLE,
}
TYPES = {name: metrics.TYPES[name] for name in metrics.ALIASES} | OTHERS
ALIASES = {name: alias for alias, name in enumerate(TYPES, 1)}
ROW: dict[str, Value] = {
    metrics.ROW_BOOT: BOOTS[0],
    metrics.ROW_SEQ: 1,
    metrics.VOLTAGE: 80.0,
    metrics.SOC: 0.5,
    metrics.SOH: None,
    metrics.BMS_STATE: 3,
    metrics.VERDICT: "allowed",
    metrics.DEPTH: 7,
    metrics.GAP_FIRST: None,
    **dict[str, Value](zip(OTHERS, (1.5, 200, 1000, 70_000, True, 2.0), strict=True)),
}


def make(
    kind: str,
    values: dict[str, Value],
    seq: int | None,
    *,
    t_ms: int | None = START_MS,
    node: str = "pack-1",
    **how: Any,
) -> MqttMessage:
    named = kind == "NBIRTH"
    types = TYPES | {metrics.BD_SEQ: DataType.INT64}
    found = tuple(
        SparkplugMetric(
            name if named or name not in ALIASES else None,
            ALIASES.get(name),
            types[name],
            value,
            t_ms,
            bool(how.get("late")),
        )
        for name, value in values.items()
    )
    data = wire.encode(Payload(START_MS, found, seq), datatypes=named or not how.get("bare"))
    return MqttMessage(f"spBv1.0/pulsebms/{kind}/{node}", data)


def birth(node: str = "pack-1", without: str = "", bd_seq: int = 0) -> MqttMessage:
    declared: dict[str, Value] = dict.fromkeys(TYPES.keys() - {without})
    ordered: dict[str, Value] = {name: None for name in TYPES if name in declared}
    return make("NBIRTH", {metrics.BD_SEQ: bd_seq, **ordered}, 0, node=node)


def row(number: int, seq: int, values: dict[str, Value] | None = None, **how: Any) -> MqttMessage:
    return make("NDATA", ROW | {metrics.ROW_SEQ: number} | (values or {}), seq, **how)


def outcome(host: HostApplication) -> object:
    batch, outgoing = host.drain()
    batch.counts = dict(batch.counts)
    nodes = {
        name: replace(node, layouts=None, rebirth_requested_s=node.rebirth_requested_s)
        for name, node in host.nodes.items()
    }
    return batch, list(batch.notes), outgoing, nodes


class CountingHost(HostApplication):
    strict = 0

    def handle_message(self, message: MqttMessage, now: Instant, will_ms: int) -> None:
        self.strict += 1
        super().handle_message(message, now, will_ms)


def compare(messages: Sequence[MqttMessage], sizes: Sequence[int], now: Instant = Desk.START) -> int:
    """Handle the messages both ways, the quick one in batches; return how many the strict path of it judged."""
    quick, strict = CountingHost("pulsebms", "fleet"), HostApplication("pulsebms", "fleet")
    place = turn = 0
    while place < len(messages):
        part = messages[place : place + sizes[turn % len(sizes)]]
        quick.handle_messages(part, now, START_MS)
        for message in part:
            strict.handle_message(message, now, START_MS)
        assert outcome(quick) == outcome(strict)
        place, turn = place + len(part), turn + 1
    return quick.strict


def test_rows_after_the_first_need_no_strict_path() -> None:
    rows = [row(number, number % 256) for number in range(1, 1001)]
    assert compare([birth(), *rows], [2, 10]) < 40  # a batch for each length of the numbers


def test_nodes_with_equal_births_share_what_was_learned() -> None:
    names = [f"pack-{number}" for number in range(300)]
    others = [row(1, 1, {metrics.ROW_BOOT: BOOTS[1]}, node=name) for name in names]
    assert compare([*(birth(name) for name in names), row(1, 1), *others], [300, 1, 100]) <= len(names) + 2


def test_lessons_are_bounded() -> None:
    host = HostApplication("pulsebms", "fleet")
    host.handle_messages([birth()], Desk.START, START_MS)
    for number in range(1, 2 * MAX_LESSONS):
        host.handle_messages([row(number, number % 256, {metrics.REASON: f"{number:05}"})], Desk.START, START_MS)
    quick = host._quick  # pyright: ignore[reportPrivateUsage]
    assert quick._lessons < 10  # pyright: ignore[reportPrivateUsage]
    assert sum(len(layouts._by_length) for layouts in quick._births.values()) < 10  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    "values",
    [
        {metrics.VOLTAGE: 1e6},
        {metrics.SOC: float("nan")},
        {metrics.SOC: float("inf")},
        {metrics.ROW_BOOT: "00C0FFEE00000001"},
        {metrics.ROW_BOOT: "00c0ffee0000000\0"},
        {metrics.VERDICT: "al\0owed"},
        {metrics.VOLTAGE: None},
        {metrics.BMS_STATE: -1},
        {metrics.GAP_BOOT: BOOTS[1], metrics.GAP_FIRST: 1, metrics.GAP_LAST: 2},
    ],
)
@pytest.mark.parametrize("late", [False, True])
def test_a_row_that_differs_is_judged_by_the_strict_path(values: dict[str, Value], *, late: bool) -> None:
    messages = [birth(), row(1, 1, late=late), row(2, 2, late=late), row(3, 3, values, late=late), row(4, 4, late=late)]
    assert compare(messages, [2, 3]) == 3


def test_a_birth_within_a_batch_ends_what_was_read_before() -> None:
    again = [row(2, 2), birth(without=metrics.SOC, bd_seq=1), row(3, 1), row(4, 2, {metrics.VOLTAGE: 3.0})]
    assert compare([birth(), row(1, 1), *again], [2, 4]) == 5


def test_an_impossible_clock_is_flagged_and_teaches_nothing() -> None:
    ahead = [row(number, number, t_ms=START_MS + 10**9) for number in range(2, 30)]
    assert compare([birth(), row(1, 1), *ahead], [2, 1]) == 2 + len(ahead)


@st.composite
def streams(draw: st.DrawFn) -> list[MqttMessage]:
    """Rows, births, deaths and damaged messages of two nodes that mostly follow each other."""
    seqs = {"pack-1": 0, "pack-2": 0}
    found = [birth(name) for name in seqs]
    plain = [0, 0, 0, 0, 0, 1]
    for _ in range(draw(st.integers(1, 40))):
        name = draw(st.sampled_from(list(seqs)))
        kind = draw(
            st.sampled_from(["row"] * 12 + ["birth", "death", "status", "lost", "again", "bytes", "bytes", "bytes"])
        )
        if kind == "birth":
            found.append(birth(name, draw(st.sampled_from(["", metrics.SOC])), draw(st.integers(0, 1))))
            seqs[name] = 0
            continue
        if kind == "death":
            found.append(make("NDEATH", {metrics.BD_SEQ: draw(st.integers(0, 1))}, None, node=name))
            continue
        if kind == "again":
            found.append(found[-1])
            continue
        seqs[name] = (seqs[name] + 1) % 256
        if kind == "lost":
            continue
        if kind == "status":
            found.append(make("NDATA", {metrics.DEPTH: 3}, seqs[name], node=name))
            continue
        values = dict[str, Value]()
        if draw(st.sampled_from(plain)):
            values[metrics.VOLTAGE] = draw(st.none() | st.floats())
            values[metrics.BMS_STATE] = draw(st.integers(-(1 << 63), (1 << 63) - 1))
            values[metrics.DEPTH] = draw(st.integers(0, (1 << 64) - 1))
            values[metrics.VERDICT] = draw(st.sampled_from(["allowed", "tripped", "held"]))
        number = draw(st.integers(1, 100) | st.sampled_from([0, 1 << 48, (1 << 48) + 1, 1 << 62]))
        values[metrics.ROW_BOOT] = draw(st.sampled_from(BOOTS))
        sent = row(
            number,
            seqs[name],
            values,
            node=name,
            t_ms=draw(st.sampled_from([START_MS, START_MS, START_MS + 1000, 5, None])),
            late=draw(st.sampled_from(plain)),
            bare=draw(st.sampled_from(plain)),
        )
        if kind == "bytes":
            data = bytearray(sent.payload)
            for _ in range(draw(st.integers(1, 3))):
                data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
            sent = replace(sent, payload=bytes(data))
        found.append(sent)
    return found


@settings(deadline=None, max_examples=100)
@given(streams(), st.lists(st.integers(1, 12), min_size=1, max_size=4))
def test_the_quick_way_gives_what_the_strict_path_gives(messages: list[MqttMessage], sizes: list[int]) -> None:
    compare(messages, sizes)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 10_000), st.integers(0, 255))
@example(0, 0)
def test_each_changed_byte_of_a_learned_message_gives_what_the_strict_path_gives(place: int, byte: int) -> None:
    changed = bytearray(row(3, 3).payload)
    changed[place % len(changed)] = byte
    damaged = MqttMessage("spBv1.0/pulsebms/NDATA/pack-1", bytes(changed))
    compare([birth(), row(1, 1), row(2, 2), damaged, row(4, 4)], [2, 3])
