"""A supply on a TCP socket with faults to choose, for the guard's connection."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Self

from drivers.safe_commands import TcpSafeCommands, TcpStep
from tests.drivers.scripted import listening, shut

if TYPE_CHECKING:
    from types import TracebackType

OFF, IS_OFF, WHO = b"OUTP OFF\n", b"OUTP?\n", b"SYST:LOCK:OWN?\n"


class FaultySupply:
    """A supply that is on; its attributes switch its faults on: no reply, a wrong reply, delay, a lost connection."""

    def __init__(self) -> None:
        self.received: list[tuple[float, bytes]] = []
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

    def make_commands(self, within_s: float = 1.0, keep_alive_s: float = 10.0) -> TcpSafeCommands:
        step = TcpStep("supply off", OFF, IS_OFF, (b"OFF",), within_s)
        return TcpSafeCommands(f"127.0.0.1:{self.port}", WHO, keep_alive_s, (step,))

    def send_unasked(self, line: bytes) -> None:
        """Send a line that nobody asked for on every connection."""
        for peer in self._peers:
            peer.sendall(line)

    def commands(self) -> list[bytes]:
        return [line for _, line in self.received if line == OFF]

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
                self.received.append((time.monotonic(), line))
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
