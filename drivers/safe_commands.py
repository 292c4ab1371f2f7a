"""Safe commands of the guard over TCP: bytes encoded in advance, sent on connections opened in advance.

A `TcpSafeCommands` (and `safe_can_commands.CanSafeCommands`) is a description that is sent to the guard's process;
`open()` there returns the connection. `keep_alive` never blocks; `execute` takes at most the time of its steps; neither
ever raises.
"""

from __future__ import annotations

import select
import socket
import time
from dataclasses import dataclass
from typing import Final, Protocol

from drivers.clock import monotonic

NEVER: Final = float("nan")
REPEAT_S: Final = 0.040  # without an answer, a step is sent again after this
AGAIN_S: Final = 0.005  # pause after an answer that does not count
RECONNECT_S: Final = 0.25
ACCEPT_S: Final = 1.0
UNANSWERED_S: Final = 1.0  # a query without a reply for so long means an unresponsive instrument
CHUNK: Final = 4096
FLOOD: Final = 65_536  # bytes between two reads; a peer that sends more does not answer our queries


@dataclass(frozen=True, slots=True)
class SafeStepResult:
    """Result of a step; `sent_s` (first) and `verified_s` on the machine's monotonic clock, NaN if it never was."""

    name: str
    verified: bool
    sent_s: float
    verified_s: float
    detail: str


class SafeConnection(Protocol):
    """A connection opened for safe commands, TCP or CAN."""

    @property
    def connected(self) -> bool: ...

    @property
    def detail(self) -> str:
        """A sentence that states what is wrong, empty while nothing is."""
        ...

    @property
    def local_port(self) -> int:
        """The connection's local port, by which a journal names it; 0 without one."""
        ...

    def keep_alive(self) -> bool:
        """Maintain the connection without blocking; return True while the peer accepts messages and answers."""
        ...

    def execute(self) -> list[SafeStepResult]:
        """Execute every step in order, each until it is verified or out of time."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class TcpStep:
    """Bytes to send, the query that verifies them, the replies that count, and a deadline."""

    name: str
    send: bytes
    verify: bytes
    accepted: tuple[bytes, ...]
    within_s: float


@dataclass(frozen=True, slots=True)
class TcpSafeCommands:
    """Safe commands of a TCP instrument at `host:port`; `gap_s`: the least time that it needs between messages."""

    address: str
    keep_alive: bytes
    keep_alive_s: float
    steps: tuple[TcpStep, ...]
    gap_s: float = 0.0

    def open(self) -> TcpSafeConnection:
        """Begin to connect at once; `keep_alive` returns True once the connection is up."""
        return TcpSafeConnection(self)


class TcpSafeConnection:
    """An open `TcpSafeCommands`: a non-blocking socket and a count of replies.

    The instrument sends replies in the order of the queries.
    """

    def __init__(self, commands: TcpSafeCommands) -> None:
        self.detail = f"{commands.address} is not connected yet"
        self.connected = False
        self.local_port = 0
        self._commands = commands
        self._peer = _resolve_peer(commands.address)
        self._socket: socket.socket | None = None
        self._received = b""
        self._queries_sent = self._replies_received = 0
        self._is_unresponsive = False  # from a query unanswered for too long until the next answer
        self._counts_from = 1  # number of the first query whose answer may verify the current step
        self._tried_s = self._query_s = self._waiting_since_s = self._sent_s = float("-inf")
        self._connect()

    def keep_alive(self) -> bool:
        now_s = monotonic()
        if self._socket is None and now_s - self._tried_s > RECONNECT_S:
            self._connect()
        if not self._finish_connect():
            return False
        self._receive_lines()
        if now_s - self._query_s > self._commands.keep_alive_s and now_s - self._sent_s > self._commands.gap_s:
            self._query(self._commands.keep_alive)
        if self.connected:
            if self._queries_sent > self._replies_received and now_s - self._waiting_since_s > UNANSWERED_S:
                self._drop_unanswered()
            self.detail = self._no_answer_text() if self._is_unresponsive else ""
        return self.connected and not self.detail

    def send_unverified(self, message: bytes) -> bool:
        """Send `message` unverified; return False if the connection is down."""
        return self._finish_connect() and self._send(message)

    def execute(self) -> list[SafeStepResult]:
        return [self._execute_step(step) for step in self._commands.steps]

    def close(self) -> None:
        self._drop("was closed by the workbench")

    def _execute_step(self, step: TcpStep) -> SafeStepResult:
        sent_s, until_s = NEVER, monotonic() + step.within_s
        self._counts_from = self._queries_sent + 1
        while monotonic() < until_s:
            now_s = monotonic()
            if not (self._ensure_connected(until_s) and self._send(step.send)):
                continue
            sent_s = now_s if sent_s is NEVER else sent_s
            if self._query(step.verify) and self._await_verification(step, min(until_s, monotonic() + REPEAT_S)):
                self.detail = ""
                return SafeStepResult(step.name, verified=True, sent_s=sent_s, verified_s=monotonic(), detail="")
            time.sleep(max(AGAIN_S, self._commands.gap_s))
        answers = self.connected and self._replies_received >= self._counts_from
        otherwise = f"{self._commands.address} answers, but not with {step.accepted[0].decode('ascii', 'replace')}"
        reason = otherwise if answers or not self.detail else self.detail
        detail = f"not verified within {step.within_s:g} s: {reason}"
        if self._queries_sent > self._replies_received:
            self._drop_unanswered()
        return SafeStepResult(step.name, verified=False, sent_s=sent_s, verified_s=NEVER, detail=detail)

    def _await_verification(self, step: TcpStep, until_s: float) -> bool:
        """Wait for an accepted answer; return False if the newest query got another answer, or none arrived."""
        while self._socket is not None and self._replies_received < self._queries_sent and monotonic() < until_s:
            if not select.select([self._socket], [], [], max(0.0, until_s - monotonic()))[0]:
                self.detail = self._no_answer_text()
                return False
            for number, line in self._receive_lines():
                if number >= self._counts_from and line in step.accepted:
                    return True
                self.detail = "" if self.connected else self.detail
        return False

    def _ensure_connected(self, until_s: float) -> bool:
        """Return whether the connection is up; if it is not, try again for at most `REPEAT_S`."""
        if self._socket is None:
            self._connect()
        if not self._finish_connect() and self._socket is not None:
            select.select([], [self._socket], [], max(0.0, min(REPEAT_S, until_s - monotonic())))
        if self._finish_connect():
            self._receive_lines()  # detects a connection that was closed meanwhile
        if not self.connected:
            time.sleep(AGAIN_S)  # a refused connection must not spin until the deadline
        return self.connected

    def _connect(self) -> None:
        self._tried_s = monotonic()
        wire = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        wire.settimeout(0.0)
        try:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            wire.connect_ex(self._peer)
        except (OSError, OverflowError) as error:
            wire.close()
            self.detail = f"{self._commands.address} cannot be opened: {error}"
            return
        self._socket, self._received = wire, b""
        self._queries_sent, self._replies_received, self._counts_from = 0, 0, 1

    def _finish_connect(self) -> bool:
        """Finish a connection attempt if possible; return whether the socket is connected."""
        if self._socket is None or self.connected:
            return self.connected
        if monotonic() - self._tried_s > ACCEPT_S:
            self._drop("does not accept a connection")
        elif select.select([], [self._socket], [self._socket], 0.0) != ([], [], []):
            if self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self._drop("does not accept a connection")
            else:
                self.connected, self.detail = True, ""
                self.local_port = int(self._socket.getsockname()[1])
        return self.connected

    def _query(self, query: bytes) -> bool:
        self._query_s = monotonic()
        if self._queries_sent == self._replies_received:
            self._waiting_since_s = self._query_s
        self._queries_sent += 1
        return self._send(query)

    def _send(self, message: bytes) -> bool:
        if self._socket is None:
            return False
        if (early_s := self._sent_s + self._commands.gap_s - monotonic()) > 0.0:
            time.sleep(early_s)  # an instrument may lose a message that arrives sooner
        self._sent_s = monotonic()
        try:
            if self._socket.send(message) == len(message):
                return True
            self._drop("accepts only a part of a message")
        except OSError as error:
            self._drop(f"accepts no message: {error}")
        return False

    def _receive_lines(self) -> list[tuple[int, bytes]]:
        """Return the replies that arrived, each with the number of its query; drop lines that answer no query."""
        budget = FLOOD
        while self._socket is not None and select.select([self._socket], [], [], 0.0)[0]:
            if budget <= 0 or len(self._received) > FLOOD:
                self._drop(f"sent more than {FLOOD} bytes that answer no query")
                return []
            try:
                chunk = self._socket.recv(CHUNK)
            except OSError as error:
                self._drop(f"lost the connection: {error}")
                return []
            if not chunk:
                self._drop("has closed the connection")
                return []
            self._received += chunk
            budget -= len(chunk)
        *lines, self._received = self._received.split(b"\n")
        if lines:
            self._waiting_since_s, self._is_unresponsive = monotonic(), False
        outstanding = self._queries_sent - self._replies_received
        del lines[outstanding:]  # or later answers would count as those of queries to come
        first, self._replies_received = self._replies_received + 1, self._replies_received + len(lines)
        return [(first + k, line.strip()) for k, line in enumerate(lines)]

    def _drop_unanswered(self) -> None:
        """Drop a connection with unanswered queries: late answers would count for the wrong queries."""
        self._is_unresponsive = True
        self._drop("does not answer")

    def _no_answer_text(self) -> str:
        return f"{self._commands.address} does not answer"

    def _drop(self, why: str) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self.connected, self._received = None, False, b""
        self.detail = f"{self._commands.address} {why}"


def _resolve_peer(address: str) -> tuple[str, int]:
    """Return host and port, resolved once because a name server may block; ("127.0.0.1", 0) if that fails."""
    host, _, port = address.rpartition(":")
    try:
        return socket.gethostbyname(host), int(port)
    except (OSError, ValueError):
        return "127.0.0.1", 0
