"""The guard's TCP connection with peers that obey, are slow, deaf, lying, dying or absent."""

from __future__ import annotations

import contextlib
import math
import pickle
import select
import socket
import threading
import time
from collections.abc import Callable, Generator

import pytest

from drivers.safe_commands import TcpSafeCommands, TcpSafeConnection, TcpStep
from tests.drivers.faulty_supply import IS_OFF, OFF, WHO, FaultySupply
from tests.drivers.polled import until
from tests.drivers.scripted import listening, shut

Opening = Callable[[TcpSafeCommands], TcpSafeConnection]


@pytest.fixture
def opened() -> Generator[Opening]:
    """Open a connection and wait until it stands; close it after the test."""
    with contextlib.ExitStack() as stack:

        def standing(commands: TcpSafeCommands) -> TcpSafeConnection:
            connection = stack.enter_context(contextlib.closing(commands.open()))
            until(connection.keep_alive)
            return connection

        yield standing


def answers(connection: TcpSafeConnection) -> int:
    """How many it has read."""
    return connection._replies_received  # pyright: ignore[reportPrivateUsage]


def unread(connection: TcpSafeConnection) -> bytes:
    """What waits at its socket."""
    wire = connection._socket  # pyright: ignore[reportPrivateUsage]
    assert wire is not None
    return wire.recv(1024, socket.MSG_PEEK) if select.select([wire], [], [], 0.0)[0] else b""


def test_an_obeying_peer_verifies_the_step(opened: Opening) -> None:
    with FaultySupply() as supply:
        connection = opened(supply.make_commands())
        (result,) = connection.execute()
    assert result.verified
    assert result.sent_s <= supply.received[-1][0] <= result.verified_s
    assert supply.commands() == [OFF]


@pytest.mark.timed
def test_the_first_bytes_do_not_wait_for_anything(opened: Opening) -> None:
    with FaultySupply() as supply:
        connection = opened(supply.make_commands())
        began_s = time.monotonic()
        (result,) = connection.execute()
    assert result.sent_s - began_s < 0.001


def test_a_peer_slower_than_the_repetition_is_verified_all_the_same(opened: Opening) -> None:
    with FaultySupply() as supply:
        connection = opened(supply.make_commands(2.0))
        supply.delay_s = 0.1
        (result,) = connection.execute()
    assert result.verified


@pytest.mark.timed
def test_a_deaf_peer_is_told_the_step_again_until_time_is_up(opened: Opening) -> None:
    with FaultySupply() as supply:
        connection = opened(supply.make_commands(0.3))
        supply.deaf = True
        began_s = time.monotonic()
        (result,) = connection.execute()
        took_s = time.monotonic() - began_s
    assert not result.verified
    assert math.isfinite(result.sent_s)
    assert math.isnan(result.verified_s)
    assert "does not answer" in result.detail
    assert len(supply.commands()) > 2
    assert 0.28 < took_s < 0.6


def test_a_peer_that_was_deaf_for_long_is_verified_as_soon_as_it_answers_again(opened: Opening) -> None:
    with FaultySupply() as supply:
        connection = opened(supply.make_commands(0.1, keep_alive_s=0.01))
        supply.deaf = True
        for _ in range(5):  # answers that never come must not be waited for
            assert not connection.execute()[0].verified
        assert not connection.keep_alive()
        supply.deaf = False
        until(lambda: connection.execute()[0].verified)
        until(connection.keep_alive)


def test_a_peer_that_stays_on_is_not_verified(opened: Opening) -> None:
    with FaultySupply() as supply:
        supply.lying = True
        connection = opened(supply.make_commands(0.2))
        (result,) = connection.execute()
    assert not result.verified
    assert "answers, but not with OFF" in result.detail


def test_a_peer_that_dies_while_spoken_to_is_reached_again(opened: Opening) -> None:
    with FaultySupply() as supply:
        connection = opened(supply.make_commands())
        before = connection.local_port
        supply.dies_at = OFF
        (result,) = connection.execute()
        after = connection.local_port
    assert result.verified
    assert supply.connections == 2
    assert after != before


def test_an_answer_owed_from_before_does_not_verify(opened: Opening) -> None:
    step = TcpStep("supply off", OFF, IS_OFF, (b"OFF",), 0.3)
    with FaultySupply() as supply:
        connection = opened(TcpSafeCommands(f"127.0.0.1:{supply.port}", IS_OFF, 10.0, (step,)))
        supply.on, supply.delay_s, answering = False, 0.1, supply.answering
        connection._query(IS_OFF)  # pyright: ignore[reportPrivateUsage]  # a keep-alive whose answer is late, and OFF
        until(lambda: supply.answering > answering)
        supply.lying = True
        (result,) = connection.execute()
    assert not result.verified


def test_after_unasked_lines_an_answer_owed_from_before_does_not_verify_either(opened: Opening) -> None:
    step = TcpStep("supply off", OFF, IS_OFF, (b"OFF",), 0.3)
    with FaultySupply() as supply:
        connection = opened(TcpSafeCommands(f"127.0.0.1:{supply.port}", IS_OFF, 10.0, (step,)))
        until(lambda: connection.keep_alive() and answers(connection) == 1)
        supply.send_unasked(b"OFF\nhello\n\n")
        until(lambda: b"hello\n\n" in unread(connection))
        connection.keep_alive()
        supply.on, supply.delay_s, answering = False, 0.1, supply.answering
        connection._query(IS_OFF)  # pyright: ignore[reportPrivateUsage]  # a keep-alive whose answer is late, and OFF
        until(lambda: supply.answering > answering)
        supply.lying = True
        (result,) = connection.execute()
    assert not result.verified


def test_after_unasked_lines_the_first_request_verifies(opened: Opening) -> None:
    with FaultySupply() as supply:
        connection = opened(supply.make_commands())
        until(lambda: connection.keep_alive() and answers(connection) == 1)
        supply.send_unasked(b"OFF\nhello\n\n")
        until(lambda: b"hello\n\n" in unread(connection))
        connection.keep_alive()
        (result,) = connection.execute()
        assert result.verified
        assert supply.commands() == [OFF]


def test_an_absent_peer_is_reported_and_never_raises() -> None:
    with listening() as server:
        port: int = server.getsockname()[1]
    connection = TcpSafeCommands(
        f"127.0.0.1:{port}", WHO, 1.0, (TcpStep("supply off", OFF, IS_OFF, (b"OFF",), 0.1),)
    ).open()
    assert not connection.keep_alive()
    (result,) = connection.execute()
    assert not result.verified
    assert math.isnan(result.sent_s)
    assert "does not accept a connection" in result.detail
    connection.close()


@pytest.mark.parametrize("address", ["", "nonsense", "127.0.0.1:99999", "127.0.0.1:x"])
def test_a_nonsense_address_is_reported_and_never_raises(address: str) -> None:
    connection = TcpSafeCommands(address, WHO, 1.0, (TcpStep("supply off", OFF, IS_OFF, (b"OFF",), 0.02),)).open()
    assert not connection.keep_alive()
    assert not connection.execute()[0].verified
    connection.close()


def test_the_connection_is_kept_alive_at_its_pace(opened: Opening) -> None:
    with FaultySupply() as supply:
        connection = opened(supply.make_commands(keep_alive_s=0.05))
        until(lambda: connection.keep_alive() and len(supply.received) >= 4)
        connection.close()
    gaps = [later[0] - earlier[0] for earlier, later in zip(supply.received, supply.received[1:], strict=False)]
    assert min(gaps) > 0.03


def test_a_lost_connection_is_told_and_opened_anew_by_keep_alive(opened: Opening) -> None:
    with FaultySupply() as supply:
        connection = opened(supply.make_commands(keep_alive_s=0.02))
        supply.dies_at = WHO
        until(lambda: not connection.keep_alive())
        assert "127.0.0.1" in connection.detail
        until(connection.keep_alive)
        until(lambda: supply.connections == 2)
        connection.close()


def test_a_deaf_peer_is_told_by_keep_alive(opened: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.safe_commands.UNANSWERED_S", 0.05)
    with FaultySupply() as supply:
        connection = opened(supply.make_commands(keep_alive_s=0.02))
        supply.deaf = True
        until(lambda: not connection.keep_alive())
        assert "does not answer" in connection.detail
        connection.close()


@pytest.mark.timed
def test_keeping_alive_does_not_block_on_a_deaf_peer(opened: Opening) -> None:
    with FaultySupply() as supply:
        connection = opened(supply.make_commands(keep_alive_s=0.0))
        supply.deaf = True
        began_s = time.monotonic()
        for _ in range(100):
            connection.keep_alive()
        assert time.monotonic() - began_s < 0.2
        connection.close()


def test_a_mark_is_said_unverified(opened: Opening) -> None:
    with FaultySupply() as supply:
        connection = opened(supply.make_commands())
        assert connection.send_unverified(b"SINK:POW 2990\n")
        until(lambda: [line for _, line in supply.received][-1:] == [b"SINK:POW 2990\n"])
        connection.close()
        assert not connection.send_unverified(b"SINK:POW 2980\n")


def test_a_description_travels_to_another_process() -> None:
    with FaultySupply() as supply:
        commands = supply.make_commands()
        assert pickle.loads(pickle.dumps(commands)) == commands  # noqa: S301  # our own bytes


def test_steps_are_said_in_their_order(opened: Opening) -> None:
    with FaultySupply() as supply:
        first = TcpStep("mark", b"SINK:POW 0\n", WHO, (b"REMOTE",), 1.0)
        second = TcpStep("supply off", OFF, IS_OFF, (b"OFF",), 1.0)
        connection = opened(TcpSafeCommands(f"127.0.0.1:{supply.port}", WHO, 10.0, (first, second)))
        results = connection.execute()
    assert [(result.name, result.verified) for result in results] == [("mark", True), ("supply off", True)]


@pytest.mark.parametrize("stream", [b"ON\n" * 2_000, b"x" * 8_192])
def test_a_peer_that_streams_bytes_holds_nobody_past_the_deadline(stream: bytes) -> None:
    """With and without line ends; the socket is never empty while it is read."""
    listener = listening()
    ends = threading.Event()

    def flood() -> None:
        with contextlib.suppress(OSError):
            while not ends.is_set():
                peer, _ = listener.accept()
                with peer, contextlib.suppress(OSError):
                    while not ends.is_set():
                        peer.sendall(stream)

    flooding = threading.Thread(target=flood)
    flooding.start()
    host, port = listener.getsockname()
    step = TcpStep("supply off", OFF, WHO, (b"OFF",), 0.3)
    with contextlib.closing(TcpSafeCommands(f"{host}:{port}", WHO, 0.1, (step,)).open()) as connection:
        until(lambda: connection.keep_alive() or connection.connected)
        began_s = time.monotonic()
        (result,) = connection.execute()
        connection.keep_alive()
        took_s = time.monotonic() - began_s
    ends.set()
    shut(listener)
    flooding.join(5.0)
    assert not result.verified
    assert took_s < 0.3 + 1.0
