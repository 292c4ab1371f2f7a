from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge_bridge.fleet.host import MAX_NODES, MAX_STRANGERS, HostApplication, Instant
from edge_bridge.mqtt import MqttMessage
from edge_bridge.sparkplug import wire
from edge_bridge.sparkplug.payload import DataType, Payload, SparkplugMetric
from tests.edge_bridge.fleet.pack import BOOT, START_MS, Desk, Pack, asked

if TYPE_CHECKING:
    from edge_bridge.sparkplug.payload import Value


def row_count(desk: Desk) -> int:
    return desk.store.read_totals().stored


def test_a_row_is_stored_and_acknowledged_after_its_birth(desk: Desk, pack: Pack) -> None:
    assert desk.hear(pack.row(1)).new == 1
    assert desk.acknowledged() == {BOOT: {1}}
    assert desk.refused == {}


def test_the_health_of_a_pack_is_stored_and_an_edge_of_before_leaves_it_empty(desk: Desk, pack: Pack) -> None:
    told, aged = {"Row/Boot": BOOT, "Row/Seq": 1, "Pack/SoH": 0.87, "Cells/SoH Min": 0.8}, Pack("pack-2")
    kinds = (DataType.STRING, DataType.UINT64, DataType.DOUBLE, DataType.DOUBLE)
    metrics = [SparkplugMetric(name, None, kind, told[name], START_MS) for name, kind in zip(told, kinds, strict=True)]
    birth = wire.decode(aged.birth().payload)
    declared = (*birth.metrics, *(replace(metric, value=None) for metric in metrics[2:]))
    for kind, payload in (("NBIRTH", replace(birth, metrics=declared)), ("NDATA", Payload(START_MS, (*metrics,), 1))):
        desk.hear(MqttMessage(f"spBv1.0/pulsebms/{kind}/pack-2", wire.encode(payload)))
    desk.hear(pack.row(1))
    select = "SELECT soh, soh_min, resistance_growth FROM row ORDER BY node"
    assert asked(desk.store, select) == [(None, None, None), (0.87, 0.8, None)]
    assert desk.host.nodes["pack-2"].status["Pack/SoH"] == 0.87
    assert desk.refused == {}


def test_data_before_a_birth_are_not_stored_and_bring_a_birth_about(desk: Desk) -> None:
    stranger = Pack("pack-2")
    assert desk.hear(stranger.row(1)).new == 0
    assert desk.refused == {"no_birth": 1}
    assert desk.rebirths() == 1


def test_data_before_a_birth_cost_no_decoding(desk: Desk) -> None:
    desk.hear(MqttMessage("spBv1.0/pulsebms/NDATA/pack-2", b"no payload at all"))
    assert (desk.refused, desk.rebirths()) == ({"no_birth": 1}, 1)


def test_a_missed_number_stops_the_reading_until_the_next_birth(desk: Desk, pack: Pack) -> None:
    lost, next_one, one_more = pack.row(1), pack.row(2), pack.row(3)
    del lost
    desk.hear(next_one, one_more)
    assert (row_count(desk), desk.rebirths()) == (0, 1)
    assert desk.refused == {"out_of_order": 1, "no_birth": 1}
    desk.hear(pack.birth(), pack.row(2), pack.row(3))
    assert row_count(desk) == 2


def test_a_birth_is_asked_for_once_a_second_at_most(desk: Desk) -> None:
    stranger = Pack("pack-2")
    for _ in range(30):
        desk.hear(stranger.row(1))
        desk.pass_s(0.1)
    assert desk.rebirths() == 3


def test_seq_wraps_from_255_to_0(desk: Desk, pack: Pack) -> None:
    for number in range(1, 601):
        desk.hear(pack.row(number))
    assert (row_count(desk), desk.refused) == (600, {})


def test_a_replayed_row_is_not_stored_again(desk: Desk, pack: Pack) -> None:
    once = pack.row(1)
    desk.hear(once, once)
    assert row_count(desk) == 1
    assert desk.refused == {"out_of_order": 1}
    desk.hear(pack.birth(), pack.row(1))  # the edge did not hear the acknowledgement
    assert desk.store.summary()[0].duplicates == 0
    assert desk.acknowledged() == {BOOT: {1}}


def test_reordered_messages_store_nothing_wrong_and_all_of_it_comes_again(desk: Desk, pack: Pack) -> None:
    first, second, third = pack.row(1), pack.row(2), pack.row(3)
    desk.hear(first, third, second)
    assert row_count(desk) == 1
    desk.hear(pack.birth(), *(pack.row(number) for number in (3, 2, 1)))
    (summary,) = desk.store.summary()
    assert (summary.produced, summary.stored, summary.missing, summary.duplicates) == (3, 3, 0, 0)


def test_a_replayed_birth_heals_itself(desk: Desk, pack: Pack) -> None:
    old = pack.birth()
    desk.hear(old, pack.row(1), pack.row(2), old, pack.row(3))
    assert desk.refused == {"out_of_order": 1}
    assert desk.rebirths() == 1
    desk.hear(pack.birth(), pack.row(3))
    assert row_count(desk) == 3


def test_a_death_of_an_earlier_connection_changes_nothing(desk: Desk) -> None:
    pack = Pack(bd_seq=4)
    desk.hear(pack.birth())
    pack.bd_seq = 5
    desk.hear(pack.birth(), pack.death(4))
    assert desk.host.nodes["pack-1"].online
    assert desk.refused == {"stale_death": 1}
    desk.hear(pack.death(5))
    assert not desk.host.nodes["pack-1"].online


def test_nothing_is_read_between_a_death_and_the_next_birth(desk: Desk, pack: Pack) -> None:
    desk.hear(pack.death(), pack.row(1))
    assert (row_count(desk), desk.refused) == (0, {"no_birth": 1})


def test_aliases_of_the_newest_birth_count(desk: Desk, pack: Pack) -> None:
    del pack.types["Pack/Voltage"]
    desk.hear(pack.birth(), pack.row(1))
    assert desk.refused == {"unknown_alias": 1}
    assert desk.rebirths() == 1
    assert row_count(desk) == 0


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("wrong_type", {"Row/Seq": 1, "Row/Boot": BOOT, "Pack/SoC": "full"}),
        ("wrong_type", {"Row/Seq": 1, "Row/Boot": BOOT, "BMS/State": 1.5}),
        ("not_finite", {"Row/Seq": 1, "Row/Boot": BOOT, "Pack/Voltage": float("nan")}),
        ("not_finite", {"Row/Seq": 1, "Row/Boot": BOOT, "Pack/Voltage": float("inf")}),
        ("implausible", {"Row/Seq": 1, "Row/Boot": BOOT, "Pack/Voltage": 1e200}),
        ("text", {"Row/Seq": 1, "Row/Boot": BOOT, "Gate/Verdict": "x" * 5_000}),
        ("incomplete_row", {"Row/Seq": 1}),
        ("incomplete_row", {"Row/Seq": None, "Row/Boot": BOOT}),
        ("incomplete_row", {"Row/Seq": 1, "Row/Boot": BOOT, "Gap/First": 1}),
        ("boot", {"Row/Seq": 1, "Row/Boot": "../../etc"}),
        ("row_number", {"Row/Seq": 0, "Row/Boot": BOOT}),
        ("row_number", {"Row/Seq": (1 << 64) - 1, "Row/Boot": BOOT}),
        ("gap", {"Row/Seq": 1, "Row/Boot": BOOT, "Gap/Boot": BOOT, "Gap/First": 9, "Gap/Last": 2}),
        ("row_number", {"Row/Seq": 1, "Row/Boot": BOOT, "Gap/Boot": BOOT, "Gap/First": 0, "Gap/Last": 2}),
    ],
)
def test_a_row_that_cannot_be_is_refused_by_name_and_not_acknowledged(
    desk: Desk, pack: Pack, kind: str, said: dict[str, Value]
) -> None:
    octets = wire.encode(wrongly(said, pack.seq), datatypes=False)
    pack.seq += 1
    desk.hear(MqttMessage("spBv1.0/pulsebms/NDATA/pack-1", octets))
    assert desk.refused == {kind: 1}
    assert (row_count(desk), desk.acknowledged()) == (0, {})
    desk.hear(pack.row(1))  # and the next good one goes on
    assert row_count(desk) == 1


def wrongly(said: dict[str, Value], seq: int) -> Payload:
    """Data whose values need not be of the declared types."""
    kinds: dict[type, DataType] = {
        str: DataType.STRING,
        float: DataType.DOUBLE,
        int: DataType.UINT64,
        type(None): DataType.STRING,
    }
    aliases = {name: place for place, name in enumerate(Pack().types, 1)}
    metrics = tuple(SparkplugMetric(None, aliases[name], kinds[type(one)], one, START_MS) for name, one in said.items())
    return Payload(START_MS, metrics, seq)


def test_a_row_without_a_time_stamp_is_refused(desk: Desk, pack: Pack) -> None:
    desk.hear(pack.data({"Row/Boot": BOOT, "Row/Seq": 1}, None))
    assert desk.refused == {"no_time": 1}


def test_an_unreadable_message_costs_its_place_in_the_count(desk: Desk, pack: Pack) -> None:
    lost = pack.row(1)
    desk.hear(MqttMessage(lost.topic, lost.payload[:-1]), pack.row(2))
    assert desk.refused == {"undecodable": 1, "out_of_order": 1}
    assert desk.rebirths() == 1


@pytest.mark.parametrize("topic", ["", "spBv1.0/pulsebms/NDATA", "spBv1.0/other/NDATA/pack-1", "spBv1.0/pulsebms/X/p"])
def test_a_topic_that_is_not_ours_is_counted(desk: Desk, topic: str) -> None:
    desk.hear(MqttMessage(topic, b""))
    assert desk.refused == {"topic": 1}


@pytest.mark.parametrize(
    ("kind", "metrics", "seq"),
    [
        ("bd_seq", (), 0),
        ("bd_seq", (SparkplugMetric("bdSeq", None, DataType.INT64, 256),), 0),
        ("bd_seq", (SparkplugMetric("bdSeq", None, DataType.STRING, "0"),), 0),
        ("no_seq", (SparkplugMetric("bdSeq", None, DataType.INT64, 0),), None),
        ("incomplete_birth", (SparkplugMetric(None, 4, DataType.INT64, 0),), 0),
        (
            "wrong_type",
            (SparkplugMetric("bdSeq", None, DataType.INT64, 0), SparkplugMetric("Bundle/Sha256", 1, DataType.INT64, 5)),
            0,
        ),
        (
            "text",
            (
                SparkplugMetric("bdSeq", None, DataType.INT64, 0),
                SparkplugMetric("Bundle/Name", 1, DataType.STRING, "x" * 2_000),
            ),
            0,
        ),
    ],
)
def test_a_birth_that_cannot_be_leaves_everything_as_it_was(
    desk: Desk, pack: Pack, kind: str, metrics: tuple[SparkplugMetric, ...], seq: int | None
) -> None:
    desk.hear(MqttMessage("spBv1.0/pulsebms/NBIRTH/pack-1", wire.encode(Payload(START_MS, metrics, seq))))
    assert desk.refused == {kind: 1}
    assert desk.hear(pack.row(1)).new == 1


def test_births_of_strangers_that_cannot_be_read_are_not_remembered(desk: Desk) -> None:
    desk.hear(*(MqttMessage(f"spBv1.0/pulsebms/NBIRTH/n{number}", b"\xff") for number in range(50)))
    assert desk.host.nodes == {}
    assert desk.refused == {"undecodable": 50}


def test_data_of_invented_names_get_no_place_and_few_questions() -> None:
    host = HostApplication("pulsebms", "fleet")
    data = Pack().row(1).payload
    for number in range(MAX_NODES + 5):
        host.handle_message(MqttMessage(f"spBv1.0/pulsebms/NDATA/n{number}", data), Instant(START_MS, 0.0), START_MS)
    assert host.nodes == {}
    batch, outgoing = host.drain()
    assert batch.counts["refused", "no_birth"] == MAX_NODES + 5
    assert len(outgoing) == MAX_STRANGERS


def test_what_a_pack_says_of_itself_is_what_is_shown(desk: Desk, pack: Pack) -> None:
    desk.hear(pack.birth(Bundle_Sha256="ab" * 32), pack.data({"Gate/Verdict": "held", "Pack/SoC": 0.5}))
    status = desk.host.nodes["pack-1"].status
    assert (status["Bundle/Sha256"], status["Gate/Verdict"], status["Pack/SoC"]) == ("ab" * 32, "held", 0.5)


def test_backlog_does_not_pose_as_the_present(desk: Desk, pack: Pack) -> None:
    desk.hear(pack.row(2, Gate_Verdict="allowed"), pack.row(1, START_MS - 1000, historical=True, Gate_Verdict="held"))
    assert desk.host.nodes["pack-1"].status["Gate/Verdict"] == "allowed"
    assert desk.host.nodes["pack-1"].last_ms == START_MS


def test_a_restarted_host_asks_those_it_knew_for_a_birth(desk: Desk, pack: Pack) -> None:
    desk.hear(pack.row(1))
    again = HostApplication("pulsebms", "fleet", desk.store.read_nodes())
    again.handle_connected(START_MS, desk.now)
    _, (state, command) = again.drain()
    assert json.loads(state.payload) == {"online": True, "timestamp": START_MS}
    assert (state.topic, state.qos, state.retain) == ("spBv1.0/STATE/fleet", 1, True)
    assert (command.topic, command.qos, command.retain) == ("spBv1.0/pulsebms/NCMD/pack-1", 0, False)
    rebirth = wire.decode(command.payload)
    assert (rebirth.seq, rebirth.metrics[0].name, rebirth.metrics[0].value) == (None, "Node Control/Rebirth", True)


def test_a_host_that_is_told_to_be_offline_contradicts(desk: Desk) -> None:
    for said in (b'{"online": true, "timestamp": 1}', b"{", b"[]", b"\xff", b"[" * 100_000):
        desk.hear(MqttMessage("spBv1.0/STATE/fleet", said))
    assert desk.sent == []
    desk.hear(MqttMessage("spBv1.0/STATE/fleet", b'{"online": false, "timestamp": 1}'))
    assert [json.loads(one.payload)["online"] for one in desk.sent] == [True]


def test_without_a_broker_nobody_is_known_to_be_there(desk: Desk, pack: Pack) -> None:
    desk.host.handle_disconnected()
    desk.hear(pack.row(1))
    assert not desk.host.nodes["pack-1"].online
    assert desk.refused == {"no_birth": 1}


def test_the_fleets_own_commands_are_no_news(desk: Desk, pack: Pack) -> None:
    desk.hear(MqttMessage("spBv1.0/pulsebms/NCMD/pack-1", b"\xff"))
    assert desk.refused == {}


def test_a_clock_that_jumps_is_kept_as_it_says_but_flagged(desk: Desk, pack: Pack) -> None:
    day_ms = 86_400_000
    desk.hear(pack.row(1), pack.row(2, START_MS + day_ms), pack.row(3, 5_000), pack.row(4, START_MS - day_ms))
    assert desk.store.read_counts("flagged") == {"future_time": 1, "past_time": 1}
    found = asked(desk.store, f"SELECT seq, t_ms - {START_MS}, clock FROM row ORDER BY seq")  # noqa: S608  # a figure
    assert found == [(1, 0, ""), (2, day_ms, "future"), (3, 5_000 - START_MS, "past"), (4, -day_ms, "")]
    assert desk.host.nodes["pack-1"].last_ms == START_MS
    assert desk.acknowledged() == {BOOT: {1, 2, 3, 4}}


def test_the_fleets_own_clock_orders_nothing_either(desk: Desk, pack: Pack) -> None:
    desk.now = Instant(START_MS - 10 * 86_400_000, desk.now.mono_s)  # set back by ten days
    desk.hear(pack.row(1), pack.row(2))
    assert row_count(desk) == 2
    assert desk.store.read_counts("flagged") == {"future_time": 2}


def test_a_time_stamp_beyond_what_can_be_stored_is_refused(desk: Desk, pack: Pack) -> None:
    desk.hear(pack.row(1, 1 << 63))
    assert desk.refused == {"no_time": 1}
