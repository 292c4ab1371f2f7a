"""An instrument that knows one transcript: lines that come otherwise, or never, fail the test."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self, TypeAlias

if TYPE_CHECKING:
    from types import TracebackType

Reply: TypeAlias = bytes | Callable[[socket.socket], None]
Line: TypeAlias = tuple[bytes, Reply]


def listening() -> socket.socket:
    """A server socket on a free port below 32768."""
    while True:
        try:
            return socket.create_server(("127.0.0.1", random.randrange(20_000, 32_000)))
        except OSError:
            continue


def hang_up(peer: socket.socket) -> None:
    """A reply that closes the connection."""
    peer.shutdown(socket.SHUT_RDWR)


def late(reply: bytes, after_s: float) -> Callable[[socket.socket], None]:
    """A reply that takes its time."""

    def send(peer: socket.socket) -> None:
        time.sleep(after_s)  # fixed wait: it takes its time
        peer.sendall(reply)

    return send


class Scripted:
    """`with Scripted([...], [...]) as address`: each connection gets the next list of `(heard, reply)`.

    Replies are bytes, or act on the socket; an empty reply says nothing.
    """

    def __init__(self, *lives: Sequence[Line], port: int = 0, open_end: bool = False) -> None:
        """With `open_end`, what is heard after the last line of all goes unanswered and is no surprise."""
        self.unused = [list(life) for life in lives]
        self.surprises: list[bytes] = []
        self.ended = 0  # connections
        self.answered = 0  # lines
        self._server = socket.create_server(("127.0.0.1", port)) if port else listening()
        self._open_end = open_end
        self._peers: list[socket.socket] = []
        self.done = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.getsockname()[1]}"

    def wait(self, within_s: float = 5.0) -> None:
        """Until the transcript is used up."""
        assert self.done.wait(within_s), f"never heard {self.unused}, but {self.surprises}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is None:
                self.wait()
        finally:
            shut(self._server)
            for peer in self._peers:
                shut(peer)
            self._thread.join(5.0)
        if kind is None:
            assert self.surprises == []

    def _serve(self) -> None:
        for life in self.unused:
            try:
                peer, _ = self._server.accept()
            except OSError:
                return
            self._peers.append(peer)
            if life is self.unused[-1] and not life:
                self.done.set()
            self._live(peer, life)
            peer.close()
            self.ended += 1

    def _live(self, peer: socket.socket, life: list[Line]) -> None:
        with peer.makefile("rb") as lines:
            while True:
                try:
                    line = lines.readline()
                except OSError:
                    return
                if not line:
                    return
                if self._open_end and not any(self.unused):
                    continue
                if not life or life[0][0] != line:
                    self.surprises.append(line)
                    continue
                reply = life.pop(0)[1]
                if not any(self.unused):
                    self.done.set()
                try:
                    peer.sendall(reply) if isinstance(reply, bytes) else reply(peer)
                    self.answered += 1
                except OSError:
                    return


def shut(wire: socket.socket) -> None:
    """Close it under the hands of a thread that waits in it."""
    with contextlib.suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)
    wire.close()
