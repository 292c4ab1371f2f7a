"""The socket under every SCPI instrument."""

from __future__ import annotations

import socket
import time

import pytest

from drivers.errors import LinkDropped, LinkGarbage, LinkSilent
from drivers.scpi.link import ScpiLink
from tests.drivers.scripted import Scripted, hang_up, late, listening
from tests.waiting import wait_until


def test_ask_returns_the_line_without_its_end() -> None:
    with Scripted([(b"A?\n", b"1.5\r\n")]) as peer, ScpiLink.open(peer.address) as link:
        assert link.ask(b"A?\n") == b"1.5"


def test_link_sets_nodelay_on_the_socket() -> None:
    with Scripted([]) as peer, ScpiLink.open(peer.address) as link:
        wire = link._socket  # pyright: ignore[reportPrivateUsage]  # the option is seen nowhere else
        assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("reply", [b"1;2;3\n", b"1\n2\n3\n", b"1;2\n3\n"])
def test_units_may_come_in_one_line_or_in_several(reply: bytes) -> None:
    with Scripted([(b"A?;:B?;:C?\n", reply)]) as peer, ScpiLink.open(peer.address) as link:
        assert link.ask(b"A?;:B?;:C?\n", 3) == b"1;2;3"


def test_a_reply_longer_than_a_read_arrives_whole() -> None:
    long = b",".join(b"%d" % n for n in range(5000))
    with Scripted([(b"A?\n", long + b"\n")]) as peer, ScpiLink.open(peer.address) as link:
        assert link.ask(b"A?\n") == long


def test_silence_is_told_after_the_timeout() -> None:
    with (
        Scripted([(b"A?\n", b"")]) as peer,
        ScpiLink.open(peer.address, timeout_s=0.1) as link,
        pytest.raises(LinkSilent, match="within 100 ms"),
    ):
        link.ask(b"A?\n")


def test_each_question_may_have_a_time_of_its_own() -> None:
    with Scripted([(b"A?\n", late(b"1\n", 0.15))]) as peer, ScpiLink.open(peer.address, timeout_s=0.05) as link:
        assert link.ask(b"A?\n", 1, 2.0) == b"1"


def test_a_late_answer_is_dropped_on_the_way_back_into_step() -> None:
    script = [(b"A?\n", late(b"1\n", 0.1)), (b"WHO?\n", b"ME\n"), (b"B?\n", b"2\n")]
    with Scripted(script) as peer, ScpiLink.open(peer.address, timeout_s=0.05) as link:
        with pytest.raises(LinkSilent):
            link.ask(b"A?\n")
        assert link.find_step(b"WHO?\n", lambda line: line == b"ME", 2.0)
        assert link.in_step
        assert link.ask(b"B?\n", 1, 2.0) == b"2"


def test_a_step_that_nobody_answers_is_not_found() -> None:
    with Scripted([(b"WHO?\n", b"")]) as peer, ScpiLink.open(peer.address) as link:
        assert not link.find_step(b"WHO?\n", bool, 0.05)
        assert not link.in_step


def test_fewer_answers_than_queries_are_garbage_and_out_of_step() -> None:
    with Scripted([(b"V?;:A?\n", b"1\n")]) as peer, ScpiLink.open(peer.address, timeout_s=0.05) as link:
        with pytest.raises(LinkGarbage, match="answered 1 of 2 queries"):
            link.ask(b"V?;:A?\n", 2)
        assert not link.in_step


def test_a_reply_without_line_end_is_garbage() -> None:
    with (
        Scripted([(b"A?\n", b"1.5")]) as peer,
        ScpiLink.open(peer.address, timeout_s=0.1) as link,
        pytest.raises(LinkGarbage, match=r"'1\.5' without a line end"),
    ):
        link.ask(b"A?\n")


def test_a_flood_without_line_end_is_garbage_before_the_timeout() -> None:
    with (
        Scripted([(b"A?\n", b"x" * 70_000)]) as peer,
        ScpiLink.open(peer.address, timeout_s=5.0) as link,
        pytest.raises(LinkGarbage, match="bytes without a line end"),
    ):
        link.ask(b"A?\n")


@pytest.mark.timed
def test_a_closed_connection_is_told_at_once_and_without_spinning() -> None:
    with Scripted([(b"A?\n", hang_up)]) as peer, ScpiLink.open(peer.address, timeout_s=5.0) as link:
        began_s, used_s = time.monotonic(), time.thread_time()
        with pytest.raises(LinkDropped):
            link.ask(b"A?\n")
        assert time.monotonic() - began_s < 2.0
        assert time.thread_time() - used_s < 0.1


def test_a_drop_in_the_middle_of_a_line_is_a_drop() -> None:
    def half(peer: socket.socket) -> None:
        peer.sendall(b"1.")
        hang_up(peer)

    with (
        Scripted([(b"A?\n", half)]) as peer,
        ScpiLink.open(peer.address, timeout_s=5.0) as link,
        pytest.raises(LinkDropped),
    ):
        link.ask(b"A?\n")


def test_what_was_said_unasked_is_no_answer() -> None:
    with Scripted([(b"*CLS\n", b"chatter\n"), (b"A?\n", b"2\n")]) as peer, ScpiLink.open(peer.address) as link:
        link.write(b"*CLS\n")
        wait_until(lambda: peer.answered == 1)
        assert link.ask(b"A?\n") == b"2"


def test_messages_keep_the_gap() -> None:
    with Scripted([(b"A\n", b""), (b"B\n", b"")]) as peer, ScpiLink.open(peer.address, gap_s=0.05) as link:
        link.write(b"A\n")
        began_s = time.monotonic()
        link.write(b"B\n")
        assert time.monotonic() - began_s >= 0.045


def test_a_sample_lies_between_question_and_answer() -> None:
    with Scripted([(b"A?\n", b"1\n")]) as peer, ScpiLink.open(peer.address) as link:
        began_s = time.monotonic()
        link.ask(b"A?\n")
        assert began_s <= link.sampled_s <= time.monotonic()


def test_nobody_listening_is_told_on_opening() -> None:
    with listening() as server:
        port: int = server.getsockname()[1]
    with pytest.raises(LinkDropped, match="connection refused"):
        ScpiLink.open(f"127.0.0.1:{port}")


def test_a_name_that_cannot_be_found_is_told_on_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: str) -> str:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.gethostbyname", unknown)
    with pytest.raises(LinkDropped, match="cannot be found"):
        ScpiLink.open("bench-7:5025")


@pytest.mark.parametrize("address", ["", "bench", "bench:", ":5025", "GPIB0::5::INSTR", "1.2.3.4:http"])
def test_what_is_no_socket_address_is_told_on_opening(address: str) -> None:
    with pytest.raises(LinkDropped, match="not the address of a TCP socket"):
        ScpiLink.open(address)


def test_a_visa_socket_resource_is_an_address() -> None:
    with Scripted([(b"A?\n", b"1\n")]) as peer:
        host, port = peer.address.split(":")
        with ScpiLink.open(f"TCPIP0::{host}::{port}::SOCKET") as link:
            assert link.ask(b"A?\n") == b"1"
