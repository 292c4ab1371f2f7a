"""The WebSocket as a client meets it: subscriptions, resumption, gaps, garbage, and clients that do not read."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from edge_bridge.fleet.api.live import STALLED, TOO_MANY
from edge_bridge.fleet.live.hub import LiveHub
from edge_bridge.fleet.live.live_client import MAX_SUBSCRIPTIONS
from edge_bridge.fleet.live.requests import MAX_MESSAGE
from edge_bridge.fleet.live.subscription import BEHIND
from tests.edge_bridge.fleet.live.serving import LiveServer, make_record, make_row, serve_hub
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def served() -> Iterator[LiveServer]:
    with serve_hub(LiveHub("mqtt://127.0.0.1:1883")) as server:
        yield server


def test_rows_and_states_come_as_they_are_received(served: LiveServer) -> None:
    with served.client() as client:
        hello = client.receive()
        assert (hello["type"], hello["version"], hello["broker"]) == ("hello", 1, "mqtt://127.0.0.1:1883")
        client.send("subscribe", id="a", devices=["one"], metrics=["soc", "current_a"])
        assert client.until("subscribed")["columns"] == ["soc", "current_a"]
        served.say(make_row(1, "two"), make_row(7, "one", soc=0.5, current_a=-22.0), notes={"one": make_record("one")})
        data = client.until("data")
        assert [[row[0], row[2], row[5]] for row in data["rows"]] == [["one", 7, [0.5, -22.0]]]
        assert [state["node"] for state in data["states"]] == ["one"]
        assert data["cursor"].startswith(served.hub.run)


def test_new_subscription_begins_with_the_present_states(served: LiveServer) -> None:
    served.say(notes={"known": make_record("known", Bundle_Name="hil24")})
    with served.client() as client:
        client.send("subscribe", id="a", devices=["known", "unknown"])
        states = client.until("data")["states"]
        assert [(state["node"], state["status"]) for state in states] == [("known", {"Bundle/Name": "hil24"})]


def test_devices_of_a_site_and_an_unknown_site(served: LiveServer) -> None:
    with served.client() as client:
        client.send("subscribe", id="a", devices={"site": "north"})
        client.until("subscribed")
        served.say(make_row(1, "pack-2"), make_row(2, "pack-1"))
        assert [row[0] for row in client.rows(1)] == ["pack-1"]
        client.send("subscribe", id="b", devices={"site": "south"})
        assert client.until("error")["value"] == "south"
        client.send("subscribe", id="b", devices={})
        assert client.until("error")["key"] == "devices"


def test_reconnected_client_gets_exactly_the_rows_after_its_cursor(served: LiveServer) -> None:
    with served.client() as client:
        client.send("subscribe", id="a", devices=["again"])
        client.until("subscribed")
        served.say(*(make_row(seq, "again") for seq in range(1, 11)))
        data = client.until("data")
        assert [row[2] for row in data["rows"]] == list(range(1, 11))
    served.say(*(make_row(seq, "again") for seq in range(11, 3 * BEHIND)))
    with served.client() as client:
        client.send("subscribe", id="a", devices=["again"], from_cursor=data["cursor"])
        assert [row[2] for row in client.rows(3 * BEHIND - 11)] == list(range(11, 3 * BEHIND))


def test_cursor_of_another_run_is_a_gap_of_unknown_size(served: LiveServer) -> None:
    with served.client() as client:
        client.send("subscribe", id="a", devices=["x"], from_cursor="00000000-5")
        gap = client.until("gap")
        assert (gap["id"], gap["missed"], gap["from"]) == ("a", None, None)
        client.send("subscribe", id="a", devices=["x"], from_cursor=f"{served.hub.run}-{10**12}")
        assert client.until("gap")["missed"] is None


def test_cursor_that_fell_out_of_the_ring_is_a_gap_with_its_size() -> None:
    with serve_hub(LiveHub(ring_events=100)) as served, served.client() as client:
        served.say(*(make_row(seq) for seq in range(1, 151)))
        wait_until(lambda: served.hub.ring.end == 150)
        client.send("subscribe", id="a", from_cursor=f"{served.hub.run}-0")
        assert client.until("gap")["missed"] == 50
        assert [row[2] for row in client.rows(100)] == list(range(51, 151))


def test_rows_that_no_loop_took_in_time_are_a_gap() -> None:
    hub = LiveHub(max_waiting=100)
    for seq in range(1, 201):
        hub.handle_decoded([make_row(seq)], {})
    with serve_hub(hub) as late, late.client() as client:
        client.send("subscribe", id="a", from_cursor=f"{hub.run}-0")
        assert client.until("gap")["missed"] == 101
        assert [row[2] for row in client.rows(99)] == list(range(102, 201))


@pytest.mark.parametrize(
    ("message", "key"),
    [
        ("garbage", "message"),
        ("[]", "message"),
        ("{}", "message"),
        ('{"type": "drop tables"}', "message"),
        ('{"type": "subscribe"}', "subscribe.id"),
        ('{"type": "subscribe", "id": 5}', "subscribe.id"),
        ('{"type": "subscribe", "id": "a", "max_rate_hz": 0}', "subscribe.max_rate_hz"),
        ('{"type": "subscribe", "id": "a", "max_rate_hz": 1e999}', "subscribe.max_rate_hz"),
        ('{"type": "subscribe", "id": "a", "metrics": ["nothing"]}', "metrics"),
        ('{"type": "subscribe", "id": "a", "from_cursor": "nothing"}', "from_cursor"),
        ('{"type": "subscribe", "id": "a", "odd": 1}', "subscribe.odd"),
        ('{"type": "subscribe", "id": "' + "a" * 65 + '"}', "subscribe.id"),
        ("[" * 5_000, "message"),
    ],
)
def test_message_that_means_nothing_is_answered_in_words(served: LiveServer, message: str, key: str) -> None:
    with served.client() as client:
        client.connection.send(message)
        error = client.until("error")
        assert error["key"] == key
        assert error["hint"]
        client.send("ping")
        client.until("heartbeat")


def test_bytes_that_are_no_text_are_answered_in_words(served: LiveServer) -> None:
    with served.client() as client:
        client.connection.send(b"\xff\xfe\x00")
        client.until("error")


def test_message_that_is_too_long_ends_the_connection_with_its_reason(served: LiveServer) -> None:
    with served.client() as client:
        client.connection.send("x" * (MAX_MESSAGE + 1))
        with pytest.raises(ConnectionClosedError, match="1009"):
            client.drain()


def test_client_has_so_many_subscriptions_and_no_more(served: LiveServer) -> None:
    with served.client() as client:
        for number in range(MAX_SUBSCRIPTIONS + 1):
            client.send("subscribe", id=str(number), devices=["nobody"])
        assert client.until("error")["bound"] == MAX_SUBSCRIPTIONS
        client.send("unsubscribe", id="0")
        client.until("unsubscribed")
        client.send("subscribe", id="last", devices=["nobody"])
        assert client.until("subscribed")["id"] == "last"


def test_page_of_another_origin_is_refused(served: LiveServer) -> None:
    with pytest.raises(InvalidStatus), served.client(origin="http://elsewhere.example"):
        pass
    with served.client(origin=f"http://127.0.0.1:{served.port}") as client:
        assert client.receive()["type"] == "hello"


def test_one_client_too_many_is_refused_with_a_reason() -> None:
    with serve_hub(LiveHub(), max_clients=1) as served, served.client() as first:
        first.receive()
        with served.client() as second, pytest.raises(ConnectionClosed) as closed:
            second.receive()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == TOO_MANY


def test_client_that_does_not_read_is_closed_and_slows_nobody() -> None:
    with serve_hub(LiveHub(ring_events=20_000), unread_s=1.0) as served, served.client() as reader:
        reader.send("subscribe", id="a", devices=["seen"])
        reader.until("subscribed")
        with served.client(max_queue=1, ping_interval=None) as sleeper:
            sleeper.send("subscribe", id="all")
            wait_until(lambda: served.hub.clients == 2)
            seq, waits_s = 0, list[float]()

            def is_closed() -> bool:
                nonlocal seq
                seq += 1
                began_s = time.monotonic()
                served.say(*(make_row(seq, f"pack-{number}", soc=0.123456) for number in range(500)))
                served.say(make_row(seq, "seen"))
                assert reader.rows(1)[-1][2] == seq
                waits_s.append(time.monotonic() - began_s)
                return served.hub.clients == 1

            wait_until(is_closed, what="the end of the client that does not read")
            with pytest.raises(ConnectionClosed) as closed:
                sleeper.drain()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == STALLED
            assert "no message was read" in closed.value.rcvd.reason
        assert statistics.median(waits_s) < 1.0


def test_slow_client_gets_the_newest_rows_and_is_told(served: LiveServer) -> None:
    with served.client() as client:
        client.send("subscribe", id="a", devices=["slow"])
        client.until("subscribed")
        served.say(*(make_row(seq, "slow") for seq in range(1, BEHIND + 2)))
        data: dict[str, Any] = client.until("data")
        assert data["slow"]
        assert ([row[2] for row in data["rows"]], data["skipped"]) == ([BEHIND + 1], BEHIND)


def test_heartbeat_comes_while_nothing_happens() -> None:
    with serve_hub(LiveHub(), heartbeat_s=0.05) as served, served.client() as client:
        assert client.receive()["type"] == "hello"
        assert client.receive()["type"] == "heartbeat"


def test_host_spends_less_than_two_microseconds_a_row(served: LiveServer) -> None:
    turns = [[make_row(seq, f"pack-{number}") for number in range(100)] for seq in range(50)]
    spent = list[float]()
    for rows in turns:
        began_s = time.thread_time()
        served.hub.handle_decoded(rows, {})
        spent.append(time.thread_time() - began_s)
    assert statistics.median(spent) / 100 < 2e-6
