"""Messages to one peer: who sends never waits, heartbeats give way, reports never."""

from __future__ import annotations

import threading

from control.send_queue import SendQueue

SOON_S = 5.0


class Peer:
    """Takes messages only while it is not hung; notes the thread that brings them."""

    def __init__(self) -> None:
        self.got: list[object] = []
        self.threads: set[int] = set()
        self.hung = threading.Event()
        self.reads = threading.Event()
        self.gone = False

    def take(self, message: object) -> None:
        self.hung.set()
        assert self.reads.wait(SOON_S)
        if self.gone:
            raise BrokenPipeError
        self.threads.add(threading.get_ident())
        self.got.append(message)


def test_a_hung_peer_gets_every_report_in_order_and_only_the_newest_heartbeat() -> None:
    peer = Peer()
    queue = SendQueue("test", peer.take)
    queue.send("first")
    assert peer.hung.wait(SOON_S)
    for number in range(1000):
        queue.beat(f"beat {number}")
        queue.send(number)
    assert not queue.flush(0.0)
    peer.reads.set()
    assert queue.flush(SOON_S)
    assert peer.got == ["first", *range(1000), "beat 999"]
    queue.close()
    queue.join(SOON_S)


def test_one_thread_writes_whoever_sends() -> None:
    peer = Peer()
    peer.reads.set()
    queue = SendQueue("test", peer.take)

    def send_hundred(sender: int) -> None:
        for number in range(100):
            queue.send(100 * sender + number)

    senders = [threading.Thread(target=send_hundred, args=(sender,)) for sender in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(SOON_S)
    assert queue.flush(SOON_S)
    assert len(peer.threads) == 1
    assert sorted(peer.got, key=str) == sorted(range(400), key=str)
    queue.close()
    queue.join(SOON_S)


def test_a_peer_that_is_gone_breaks_the_queue_and_holds_up_nobody() -> None:
    peer = Peer()
    peer.gone = True
    peer.reads.set()
    queue = SendQueue("test", peer.take)
    queue.send("anything")
    assert queue.flush(SOON_S)
    assert queue.broken
    for number in range(10):
        queue.send(number)
    assert queue.flush(SOON_S)
    assert peer.got == []
    queue.close()
    queue.join(SOON_S)


def test_what_waits_is_delivered_before_the_end_and_then_the_pipe_is_closed() -> None:
    peer, closed = Peer(), threading.Event()
    queue = SendQueue("test", peer.take)
    queue.send("bye")
    queue.close(then=closed.set)
    assert not closed.is_set()
    peer.reads.set()
    assert closed.wait(SOON_S)
    assert peer.got == ["bye"]
    queue.join(SOON_S)
