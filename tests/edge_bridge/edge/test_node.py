from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from edge_bridge import metrics
from edge_bridge.edge.node import Acknowledgement, EdgeNode, HostState, NodeNames, Piece, RebirthRequest
from edge_bridge.edge.row import OutboxRow, RowKey
from edge_bridge.fleet import commands
from edge_bridge.metrics import ALIASES, TYPES
from edge_bridge.mqtt import MqttMessage
from edge_bridge.sparkplug import wire
from edge_bridge.sparkplug.aliases import Aliases
from edge_bridge.sparkplug.payload import PayloadError, Value

if TYPE_CHECKING:
    from tests.edge_bridge.fleet.pack import Desk

NOW_MS = 1_800_000_000_000
BOOT = "00000000000000aa"
SHA256 = "ab" * 32
COMMAND = "spBv1.0/pulsebms/NCMD/pack-1"
STATE = "spBv1.0/STATE/fleet"


@pytest.fixture
def node() -> EdgeNode:
    return EdgeNode(NodeNames("pulsebms", "pack-1", "fleet"), 7)


def said(message: MqttMessage) -> dict[str, Value]:
    """A birth's values by name."""
    return {metric.name or "": metric.value for metric in wire.decode(message.payload).metrics}


def row(seq: int, *, live: bool = True, **values: Value) -> OutboxRow:
    named: dict[str, Any] = {name.replace("_", "/"): value for name, value in values.items()}
    return OutboxRow(RowKey(BOOT, seq), NOW_MS, named or {metrics.CURRENT: 12.5, metrics.SOC: None}, live)


def ask(node: EdgeNode, **values: Value) -> list[Any]:
    named = {name.replace("_", "/"): value for name, value in values.items()}
    return node.handle(commands.make_command("pulsebms", "pack-1", named, NOW_MS))


def test_a_birth_declares_every_metric_and_its_alias_once(node: EdgeNode) -> None:
    birth = node.make_birth({metrics.NAME: "hil24"}, NOW_MS, node.make_will(NOW_MS))
    payload = wire.decode(birth.payload)
    assert birth.topic == "spBv1.0/pulsebms/NBIRTH/pack-1"
    assert (birth.qos, birth.retain, payload.seq) == (0, False, 0)
    assert [metric.name for metric in payload.metrics] == list(TYPES)
    assert {metric.name: metric.alias for metric in payload.metrics if metric.alias is not None} == ALIASES
    assert said(birth)[metrics.NAME] == "hil24"
    assert said(birth)[metrics.REBIRTH] is False
    assert said(birth)[metrics.SOC] is None


def test_what_sparkplug_wants_without_an_alias_has_none(node: EdgeNode) -> None:
    birth = wire.decode(node.make_birth({}, NOW_MS, node.make_will(NOW_MS)).payload)
    bare = {metric.name for metric in birth.metrics if metric.alias is None}
    assert {metrics.BD_SEQ, metrics.REBIRTH, metrics.DESIRED, metrics.ACKNOWLEDGED} <= bare


def test_birth_and_will_of_a_connection_have_the_same_number_and_the_next_one_more(node: EdgeNode) -> None:
    first, second = node.make_will(NOW_MS), node.make_will(NOW_MS)
    assert said(first) == {metrics.BD_SEQ: 7}
    assert said(second) == {metrics.BD_SEQ: 8}
    assert said(node.make_birth({}, NOW_MS, second))[metrics.BD_SEQ] == 8
    assert said(node.make_birth({}, NOW_MS))[metrics.BD_SEQ] == 8  # a rebirth


def test_the_number_of_connections_wraps_at_256() -> None:
    node = EdgeNode(NodeNames("g", "n", "h"), 255)
    assert [said(node.make_will(NOW_MS))[metrics.BD_SEQ] for _ in range(2)] == [255, 0]


def test_data_goes_by_alias_and_counts_on_from_the_birth(node: EdgeNode) -> None:
    node.make_birth({}, NOW_MS, node.make_will(NOW_MS))
    first, second = node.make_row(row(41), NOW_MS), node.make_status({metrics.DEPTH: 3}, NOW_MS)
    assert [wire.decode(message.payload).seq for message in (first, second)] == [1, 2]
    assert all(metric.name is None for metric in wire.decode(first.payload).metrics)
    declared = Aliases.from_birth(metrics.make_birth_metrics({metrics.BD_SEQ: 0}, 0))
    read = declared.read(wire.decode(first.payload))
    assert {name: metric.value for name, metric in read.items()} == {
        metrics.ROW_BOOT: BOOT,
        metrics.ROW_SEQ: 41,
        metrics.CURRENT: 12.5,
        metrics.SOC: None,
    }


def test_the_count_wraps_at_256_and_begins_anew_with_a_birth(node: EdgeNode) -> None:
    node.make_birth({}, NOW_MS, node.make_will(NOW_MS))
    numbers = [wire.decode(node.make_row(row(n), NOW_MS).payload).seq for n in range(1, 300)]
    assert numbers == [n % 256 for n in range(1, 300)]
    assert wire.decode(node.make_birth({}, NOW_MS).payload).seq == 0


def test_a_row_that_was_held_back_says_so_in_every_metric(node: EdgeNode) -> None:
    held = wire.decode(node.make_row(row(1, live=False), NOW_MS).payload)
    assert all(metric.historical for metric in held.metrics)
    assert not any(metric.historical for metric in wire.decode(node.make_row(row(2), NOW_MS).payload).metrics)


def test_a_number_that_is_not_known_is_null(node: EdgeNode) -> None:
    birth = node.make_birth(
        {metrics.CURRENT: float("nan"), metrics.VOLTAGE: float("inf")}, NOW_MS, node.make_will(NOW_MS)
    )
    assert said(birth)[metrics.CURRENT] is None
    assert said(birth)[metrics.VOLTAGE] is None


def test_an_acknowledgement_is_heard_with_its_ranges(node: EdgeNode) -> None:
    assert ask(node, Outbox_Acknowledged=f"{BOOT}:1-40,57") == [Acknowledgement({BOOT: ((1, 40), (57, 57))})]


def test_a_rebirth_is_heard_only_when_it_is_true(node: EdgeNode) -> None:
    assert node.handle(commands.make_command("pulsebms", "pack-1", {metrics.REBIRTH: True}, NOW_MS)) == [
        RebirthRequest()
    ]
    assert node.handle(commands.make_command("pulsebms", "pack-1", {metrics.REBIRTH: False}, NOW_MS)) == []
    assert node.refused == {"command": 1}


def test_a_piece_of_a_bundle_is_heard(node: EdgeNode) -> None:
    heard = ask(node, Bundle_Desired=SHA256, Bundle_Size=100, Bundle_Offset=16, Bundle_Chunk=b"octets")
    assert heard == [Piece(SHA256, 100, 16, b"octets")]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"Bundle_Desired": "no hash", "Bundle_Size": 10}, "bundle_hash"),
        ({"Bundle_Desired": SHA256.upper(), "Bundle_Size": 10}, "bundle_hash"),
        ({"Bundle_Desired": SHA256}, "bundle_size"),
        ({"Bundle_Desired": SHA256, "Bundle_Size": 0}, "bundle_size"),
        ({"Bundle_Desired": SHA256, "Bundle_Size": 1 << 60}, "bundle_size"),
        ({"Bundle_Desired": SHA256, "Bundle_Size": 10, "Bundle_Offset": 9, "Bundle_Chunk": b"ab"}, "bundle_chunk"),
        ({"Bundle_Desired": SHA256, "Bundle_Size": 1 << 20, "Bundle_Chunk": b"a" * 16_385}, "bundle_chunk"),
        ({"Outbox_Acknowledged": "nonsense"}, "acks"),
    ],
)
def test_a_command_that_cannot_be_is_counted_and_means_nothing(
    node: EdgeNode, values: dict[str, Any], kind: str
) -> None:
    assert ask(node, **values) == []
    assert node.refused == {kind: 1}


def test_mutated_commands_never_raise_and_are_counted(node: EdgeNode) -> None:
    chance, whole = (
        random.Random(8),
        commands.make_command("pulsebms", "pack-1", {"Outbox/Acknowledged": f"{BOOT}:1-9"}, 1),
    )
    for _ in range(2_000):
        octets = bytearray(whole.payload)
        for _ in range(chance.randint(1, 4)):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        del octets[chance.randint(1, len(octets)) :]
        node.handle(MqttMessage(COMMAND, bytes(octets)))
    assert sum(node.refused.values()) > 1_000
    assert len(node.refused) > 3


def test_the_host_is_heard_and_an_older_goodbye_is_not_believed(node: EdgeNode) -> None:
    def told(octets: object) -> list[Any]:
        return node.handle(MqttMessage(STATE, json.dumps(octets).encode(), retain=True))

    assert told({"online": True, "timestamp": 2_000}) == [HostState(online=True)]
    assert told({"online": False, "timestamp": 1_000}) == []
    assert told({"online": False, "timestamp": 2_000}) == [HostState(online=False)]
    assert told({"online": True, "timestamp": 500}) == [HostState(online=True)]  # its clock went back: there is there


@pytest.mark.parametrize(
    "octets", [b"", b"\xff", b"[" * 90_000, b"null", b'{"online": 1, "timestamp": 2}', b'{"online": true}']
)
def test_a_state_of_the_host_that_cannot_be_read_is_counted(node: EdgeNode, octets: bytes) -> None:
    assert node.handle(MqttMessage(STATE, octets)) == []
    assert node.refused == {"state": 1}


@pytest.mark.parametrize("name", ["", "a/b", "a+", "#", "ü", "x" * 61])
def test_a_name_that_no_topic_can_hold_is_refused(name: str) -> None:
    with pytest.raises(PayloadError):
        NodeNames("pulsebms", name, "fleet")


def test_the_fleet_takes_what_the_node_says(desk: Desk, node: EdgeNode) -> None:
    desk.hear(node.make_birth({metrics.SHA256: SHA256, metrics.STATE: "healthy"}, NOW_MS, node.make_will(NOW_MS)))
    desk.hear(*(node.make_row(row(n, live=n % 2 == 0), NOW_MS) for n in range(1, 6)))
    gap = row(6, Gap_Boot="00000000000000bb", Gap_First=3, Gap_Last=9)
    desk.hear(node.make_row(gap, NOW_MS), node.make_status({metrics.DESIRED: SHA256, metrics.RECEIVED: 5}, NOW_MS))
    assert desk.refused == {}
    assert desk.acknowledged() == {BOOT: {1, 2, 3, 4, 5, 6}}
    assert desk.host.nodes["pack-1"].status[metrics.RECEIVED] == 5
    desk.hear(node.make_death(NOW_MS))
    assert not desk.host.nodes["pack-1"].online
    assert desk.refused == {}
