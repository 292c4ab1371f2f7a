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
from typing import TYPE_CHECKING, Self

import pytest

from drivers.safe_commands import TcpSafeCommands, TcpSafeConnection, TcpStep
from tests.drivers.polled import until
from tests.drivers.scripted import listening, shut

if TYPE_CHECKING:
    from types import TracebackType

OFF, IS_OFF, WHO = b"OUTP OFF\n", b"OUTP?\n", b"SYST:LOCK:OWN?\n"


class Supply:
    """A supply that is on; the switches below are its bad habits."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, bytes]] = []
        self.connections = self.answering = 0
        self.on = True
        self.deaf = self.lying = False
        self.delay_s = 0.0
        self.dies_at: bytes | None = None
        self._server = listening()
        self.port: int = self._server.getsockname()[1]
        self._peers: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        accepting = self._threads[0]
        shut(self._server)
        accepting.join()
        for peer in self._peers:
            shut(peer)
        for thread in self._threads[1:]:
            thread.join()

    def word(self, within_s: float = 1.0, keep_alive_s: float = 10.0) -> TcpSafeCommands:
        step = TcpStep("supply off", OFF, IS_OFF, (b"OFF",), within_s)
        return TcpSafeCommands(f"127.0.0.1:{self.port}", WHO, keep_alive_s, (step,))

    def shout(self, unasked: bytes) -> None:
        """Say it on every connection."""
        for peer in self._peers:
            peer.sendall(unasked)

    def commands(self) -> list[bytes]:
        return [line for _, line in self.heard if line == OFF]

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            self._peers.append(peer)
            self._threads.append(threading.Thread(target=self._live, args=(peer,)))
            self._threads[-1].start()

    def _live(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError), peer.makefile("rb") as lines:
            for line in lines:
                self.heard.append((time.monotonic(), line))
                if line == self.dies_at:
                    self.dies_at = None
                    peer.shutdown(socket.SHUT_RDWR)
                    return
                self.on = self.on and line != OFF
                said = b"REMOTE\n" if line == WHO else b"ON\n" if self.on or self.lying else b"OFF\n"
                self.answering += 1
                time.sleep(self.delay_s)  # fixed wait: it takes its time
                if line.endswith(b"?\n") and not self.deaf:
                    try:
                        peer.sendall(said)
                    except OSError:
                        return


Opening = Callable[[TcpSafeCommands], TcpSafeConnection]


@pytest.fixture
def opened() -> Generator[Opening]:
    """Opens a last word and waits until it stands; closes it after the test."""
    with contextlib.ExitStack() as mouths:

        def standing(word: TcpSafeCommands) -> TcpSafeConnection:
            mouth = mouths.enter_context(contextlib.closing(word.open()))
            until(mouth.keep_alive)
            return mouth

        yield standing


def answers(mouth: TcpSafeConnection) -> int:
    """How many it has read."""
    return mouth._replies_received  # pyright: ignore[reportPrivateUsage]


def unread(mouth: TcpSafeConnection) -> bytes:
    """What waits at its socket."""
    wire = mouth._socket  # pyright: ignore[reportPrivateUsage]
    assert wire is not None
    return wire.recv(1024, socket.MSG_PEEK) if select.select([wire], [], [], 0.0)[0] else b""


def test_an_obeying_peer_verifies_the_step(opened: Opening) -> None:
    with Supply() as supply:
        mouth = opened(supply.word())
        (result,) = mouth.execute()
    assert result.verified
    assert result.sent_s <= supply.heard[-1][0] <= result.verified_s
    assert supply.commands() == [OFF]


@pytest.mark.timed
def test_the_first_bytes_do_not_wait_for_anything(opened: Opening) -> None:
    with Supply() as supply:
        mouth = opened(supply.word())
        began_s = time.monotonic()
        (result,) = mouth.execute()
    assert result.sent_s - began_s < 0.001


def test_a_peer_slower_than_the_repetition_is_verified_all_the_same(opened: Opening) -> None:
    with Supply() as supply:
        mouth = opened(supply.word(2.0))
        supply.delay_s = 0.1
        (result,) = mouth.execute()
    assert result.verified


@pytest.mark.timed
def test_a_deaf_peer_is_told_the_step_again_until_time_is_up(opened: Opening) -> None:
    with Supply() as supply:
        mouth = opened(supply.word(0.3))
        supply.deaf = True
        began_s = time.monotonic()
        (result,) = mouth.execute()
        took_s = time.monotonic() - began_s
    assert not result.verified
    assert math.isfinite(result.sent_s)
    assert math.isnan(result.verified_s)
    assert "does not answer" in result.detail
    assert len(supply.commands()) > 2
    assert 0.28 < took_s < 0.6


def test_a_peer_that_was_deaf_for_long_is_verified_as_soon_as_it_answers_again(opened: Opening) -> None:
    with Supply() as supply:
        mouth = opened(supply.word(0.1, keep_alive_s=0.01))
        supply.deaf = True
        for _ in range(5):  # answers that never come must not be waited for
            assert not mouth.execute()[0].verified
        assert not mouth.keep_alive()
        supply.deaf = False
        until(lambda: mouth.execute()[0].verified)
        until(mouth.keep_alive)


def test_a_peer_that_stays_on_is_not_verified(opened: Opening) -> None:
    with Supply() as supply:
        supply.lying = True
        mouth = opened(supply.word(0.2))
        (result,) = mouth.execute()
    assert not result.verified
    assert "answers, but not with OFF" in result.detail


def test_a_peer_that_dies_while_spoken_to_is_reached_again(opened: Opening) -> None:
    with Supply() as supply:
        mouth = opened(supply.word())
        before = mouth.local_port
        supply.dies_at = OFF
        (result,) = mouth.execute()
        after = mouth.local_port
    assert result.verified
    assert supply.connections == 2
    assert after != before


def test_an_answer_owed_from_before_does_not_verify(opened: Opening) -> None:
    step = TcpStep("supply off", OFF, IS_OFF, (b"OFF",), 0.3)
    with Supply() as supply:
        mouth = opened(TcpSafeCommands(f"127.0.0.1:{supply.port}", IS_OFF, 10.0, (step,)))
        supply.on, supply.delay_s, answering = False, 0.1, supply.answering
        mouth._query(IS_OFF)  # pyright: ignore[reportPrivateUsage]  # a keep-alive whose answer is late, and OFF
        until(lambda: supply.answering > answering)
        supply.lying = True
        (result,) = mouth.execute()
    assert not result.verified


def test_after_unasked_lines_an_answer_owed_from_before_does_not_verify_either(opened: Opening) -> None:
    step = TcpStep("supply off", OFF, IS_OFF, (b"OFF",), 0.3)
    with Supply() as supply:
        mouth = opened(TcpSafeCommands(f"127.0.0.1:{supply.port}", IS_OFF, 10.0, (step,)))
        until(lambda: mouth.keep_alive() and answers(mouth) == 1)
        supply.shout(b"OFF\nhello\n\n")
        until(lambda: b"hello\n\n" in unread(mouth))
        mouth.keep_alive()
        supply.on, supply.delay_s, answering = False, 0.1, supply.answering
        mouth._query(IS_OFF)  # pyright: ignore[reportPrivateUsage]  # a keep-alive whose answer is late, and OFF
        until(lambda: supply.answering > answering)
        supply.lying = True
        (result,) = mouth.execute()
    assert not result.verified


def test_after_unasked_lines_the_first_request_verifies(opened: Opening) -> None:
    with Supply() as supply:
        mouth = opened(supply.word())
        until(lambda: mouth.keep_alive() and answers(mouth) == 1)
        supply.shout(b"OFF\nhello\n\n")
        until(lambda: b"hello\n\n" in unread(mouth))
        mouth.keep_alive()
        (result,) = mouth.execute()
        assert result.verified
        assert supply.commands() == [OFF]


def test_an_absent_peer_is_reported_and_never_raises() -> None:
    with listening() as server:
        port: int = server.getsockname()[1]
    mouth = TcpSafeCommands(f"127.0.0.1:{port}", WHO, 1.0, (TcpStep("supply off", OFF, IS_OFF, (b"OFF",), 0.1),)).open()
    assert not mouth.keep_alive()
    (result,) = mouth.execute()
    assert not result.verified
    assert math.isnan(result.sent_s)
    assert "does not accept a connection" in result.detail
    mouth.close()


@pytest.mark.parametrize("address", ["", "nonsense", "127.0.0.1:99999", "127.0.0.1:x"])
def test_a_nonsense_address_is_reported_and_never_raises(address: str) -> None:
    mouth = TcpSafeCommands(address, WHO, 1.0, (TcpStep("supply off", OFF, IS_OFF, (b"OFF",), 0.02),)).open()
    assert not mouth.keep_alive()
    assert not mouth.execute()[0].verified
    mouth.close()


def test_the_connection_is_kept_alive_at_its_pace(opened: Opening) -> None:
    with Supply() as supply:
        mouth = opened(supply.word(keep_alive_s=0.05))
        until(lambda: mouth.keep_alive() and len(supply.heard) >= 4)
        mouth.close()
    gaps = [later[0] - earlier[0] for earlier, later in zip(supply.heard, supply.heard[1:], strict=False)]
    assert min(gaps) > 0.03


def test_a_lost_connection_is_told_and_opened_anew_by_keep_alive(opened: Opening) -> None:
    with Supply() as supply:
        mouth = opened(supply.word(keep_alive_s=0.02))
        supply.dies_at = WHO
        until(lambda: not mouth.keep_alive())
        assert "127.0.0.1" in mouth.detail
        until(mouth.keep_alive)
        until(lambda: supply.connections == 2)
        mouth.close()


def test_a_deaf_peer_is_told_by_keep_alive(opened: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.safe_commands.UNANSWERED_S", 0.05)
    with Supply() as supply:
        mouth = opened(supply.word(keep_alive_s=0.02))
        supply.deaf = True
        until(lambda: not mouth.keep_alive())
        assert "does not answer" in mouth.detail
        mouth.close()


@pytest.mark.timed
def test_keeping_alive_does_not_block_on_a_deaf_peer(opened: Opening) -> None:
    with Supply() as supply:
        mouth = opened(supply.word(keep_alive_s=0.0))
        supply.deaf = True
        began_s = time.monotonic()
        for _ in range(100):
            mouth.keep_alive()
        assert time.monotonic() - began_s < 0.2
        mouth.close()


def test_a_mark_is_said_unverified(opened: Opening) -> None:
    with Supply() as supply:
        mouth = opened(supply.word())
        assert mouth.send_unverified(b"SINK:POW 2990\n")
        until(lambda: [line for _, line in supply.heard][-1:] == [b"SINK:POW 2990\n"])
        mouth.close()
        assert not mouth.send_unverified(b"SINK:POW 2980\n")


def test_a_description_travels_to_another_process() -> None:
    with Supply() as supply:
        word = supply.word()
        assert pickle.loads(pickle.dumps(word)) == word  # noqa: S301  # our own bytes


def test_steps_are_said_in_their_order(opened: Opening) -> None:
    with Supply() as supply:
        first = TcpStep("mark", b"SINK:POW 0\n", WHO, (b"REMOTE",), 1.0)
        second = TcpStep("supply off", OFF, IS_OFF, (b"OFF",), 1.0)
        mouth = opened(TcpSafeCommands(f"127.0.0.1:{supply.port}", WHO, 10.0, (first, second)))
        results = mouth.execute()
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
    with contextlib.closing(TcpSafeCommands(f"{host}:{port}", WHO, 0.1, (step,)).open()) as mouth:
        until(lambda: mouth.keep_alive() or mouth.connected)
        began_s = time.monotonic()
        (result,) = mouth.execute()
        mouth.keep_alive()
        took_s = time.monotonic() - began_s
    ends.set()
    shut(listener)
    flooding.join(5.0)
    assert not result.verified
    assert took_s < 0.3 + 1.0
