"""500 damaged messages through codec, host and store: nothing crashes, nothing wrong is stored, each is counted."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from edge_bridge.fleet.columns import COLUMNS
from edge_bridge.mqtt import MqttMessage
from edge_bridge.sparkplug.payload import PayloadError
from edge_bridge.sparkplug.wire import MAX_BYTES, decode
from tests.edge_bridge.fleet.pack import ALIASES, START_MS, Desk, Pack, asked
from tests.edge_bridge.sparkplug.protobuf import double, number, octets, varint
from tests.edge_bridge.sparkplug.test_wire_golden import other_reader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SEED, COUNT = 20_261, 200


def flipped(octets: bytes, dice: random.Random) -> bytes:
    damaged = bytearray(octets)
    for _ in range(dice.randint(1, 4)):
        damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
    return bytes(damaged)


def cut(octets: bytes, dice: random.Random) -> bytes:
    return octets[: dice.randrange(len(octets))]


def grown(octets: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(octets))
    return octets[:place] + dice.randbytes(dice.randint(1, 40)) + octets[place:]


def repeated(octets: bytes, dice: random.Random) -> bytes:
    return octets * dice.randint(2, 3)


def huge(octets: bytes, dice: random.Random) -> bytes:
    return octets + varint(5 << 3 | 2) + varint(MAX_BYTES) + bytes(MAX_BYTES)


def lying_length(octets: bytes, dice: random.Random) -> bytes:
    return octets + varint(2 << 3 | 2) + varint(dice.randrange(1 << 20, 1 << 31))


def wrong_value(octets_: bytes, dice: random.Random) -> bytes:
    """A metric that the birth declared, with a value of another type or one that cannot be."""
    name = dice.choice(list(ALIASES))
    bad = [number(11, (1 << 64) - 1), double(13, math.nan), double(13, 1e300), octets(15, b"\xff"), octets(16, b"x")]
    said = number(2, ALIASES[name]) + number(3, START_MS) + dice.choice(bad)
    return octets_ + octets(2, said)


def unknown(octets_: bytes, dice: random.Random) -> bytes:
    return octets_ + octets(2, number(2, dice.randrange(1_000, 1 << 63)) + number(3, START_MS) + double(13, 1.0))


def unnamed(octets_: bytes, dice: random.Random) -> bytes:
    """A metric with neither a name nor an alias."""
    return octets_ + octets(2, number(3, START_MS) + double(13, dice.random()))


def shuffled(octets: bytes, dice: random.Random) -> bytes:
    damaged = list(octets)
    dice.shuffle(damaged)
    return bytes(damaged)


MUTATIONS: list[Callable[[bytes, random.Random], bytes]] = [
    flipped,
    cut,
    grown,
    repeated,
    huge,
    lying_length,
    wrong_value,
    unknown,
    unnamed,
    shuffled,
]


def mutated() -> list[bytes]:
    """The same 200 each time, all of them different from what the pack said."""
    dice = random.Random(SEED)
    said = [Pack(seq=1).row(1).payload, Pack().birth().payload, Pack(seq=1).gap(1, 5, 9).payload]
    found = list[bytes]()
    while len(found) < COUNT:
        original = dice.choice(said)
        damaged = MUTATIONS[len(found) % len(MUTATIONS)](original, dice)
        if damaged not in said:
            found.append(damaged)
    return found


def test_each_of_200_damaged_payloads_is_read_or_refused_by_name() -> None:
    tally = Counter[str]()
    for damaged in mutated():
        try:
            decode(damaged)
            tally["read"] += 1
        except PayloadError as error:
            tally[error.kind] += 1
    assert tally.total() == COUNT
    assert len(tally) >= 5, tally
    assert tally["undecodable"] >= 40
    assert tally["oversized"] >= 20


@pytest.mark.parametrize("kind", ["NDATA", "NBIRTH", "NDEATH"])
def test_200_damaged_messages_crash_no_fleet_and_store_nothing_wrong(tmp_path: Path, kind: str) -> None:
    desk = Desk(tmp_path / "fleet.db")
    pack = Pack()
    for damaged in mutated():
        desk.hear(pack.birth())  # a damaged row is the next message that is expected
        before, refused = row_keys(desk), sum(desk.refused.values())
        desk.hear(MqttMessage(f"spBv1.0/pulsebms/{kind}/pack-1", damaged))
        new, counted = row_keys(desk) - before, sum(desk.refused.values()) - refused
        if kind == "NDATA":
            assert counted == 1 or says_all_that_is_stored(desk, new, damaged)
        assert counted <= 1
        assert not new or (kind == "NDATA" and not counted)
    assert desk.hear(pack.birth(), pack.row(3)).new == 1, "the fleet goes on"
    assert desk.store.summary()[0].duplicates == 0
    assert desk.store.read_counts("refused") == desk.refused
    desk.close()


def test_damaged_messages_are_counted_under_many_names(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "fleet.db")
    pack = Pack()
    for damaged in mutated():
        desk.hear(pack.birth(), MqttMessage("spBv1.0/pulsebms/NDATA/pack-1", damaged))
    named = desk.store.read_counts("refused")
    assert {"undecodable", "oversized", "wrong_type", "unknown_alias", "twice"} <= named.keys(), named
    desk.close()


def says_all_that_is_stored(desk: Desk, new: set[tuple[str, int]], damaged: bytes) -> bool:
    """A damaged message that still is one: what was stored is what another reader finds in these octets, and can be."""
    heard = other_reader()()
    heard.ParseFromString(damaged)
    values = {one.alias: getattr(one, one.WhichOneof("value")) for one in heard.metrics if one.WhichOneof("value")}
    if ALIASES["Row/Seq"] not in values:
        return not new
    key = (values[ALIASES["Row/Boot"]], values[ALIASES["Row/Seq"]])
    if not new:
        return key in row_keys(desk)  # it had been stored before
    if new != {key}:
        return False
    names = ", ".join(column.name for column in COLUMNS)
    boot, seq = key
    (found,) = asked(desk.store, f"SELECT {names} FROM row WHERE boot = '{boot}' AND seq = {seq}")  # noqa: S608  # a stored key
    for column, value in zip(COLUMNS, found, strict=True):
        told = values.get(ALIASES.get(column.metric))
        if column.metric == "BMS/State" and told is not None and told >= 1 << 63:
            told -= 1 << 64
        if value != told or (isinstance(value, float) and not column.low <= value <= column.high):
            return False
    return True


def row_keys(desk: Desk) -> set[tuple[str, int]]:
    return {(boot, seq) for boot, seq in asked(desk.store, "SELECT boot, seq FROM row")}
