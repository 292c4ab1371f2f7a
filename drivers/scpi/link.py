"""The only use of PyVISA: one TCP connection to an instrument; send messages, receive lines."""

from __future__ import annotations

import contextlib
import functools
import select
import socket
import time
from typing import TYPE_CHECKING, Any, Final, Self, cast

from drivers.clock import monotonic
from drivers.errors import LinkDropped, LinkGarbage, LinkSilent

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

LONGEST_LINE: Final = 65_536
MAX_COUNT_READ: Final = 0x3FFF0006  # VI_SUCCESS_MAX_CNT


@functools.cache
def _visa() -> Any:
    """Return PyVISA's resource manager on pyvisa-py: untyped, slow to import, one per process."""
    import pyvisa  # noqa: PLC0415  # takes 140 ms, needed only in a process with instruments

    return pyvisa.ResourceManager("@py")


def _resource_name(address: str) -> str:
    """Return the VISA name of `host:port`; a VISA socket resource is unchanged."""
    parts = address.split("::")
    if len(parts) == 1:
        host, _, port = address.rpartition(":")
        parts = ["TCPIP", host, port, "SOCKET"]
    if len(parts) != 4 or parts[3] != "SOCKET" or not parts[1] or not parts[2].isdigit():  # noqa: PLR2004  # parts of TCPIP0::HOST::PORT::SOCKET
        raise LinkDropped("is not the address of a TCP socket", where=address, hint="write host:port")
    try:
        parts[1] = socket.gethostbyname(parts[1])  # pyvisa-py leaks its socket when this fails
    except OSError as error:
        raise LinkDropped(f"cannot be found: {error}", where=address, hint="check the name") from error
    return "::".join(parts)


class ScpiLink:
    """Lines over one socket, for one thread at a time; `gap_s` is the least time between two messages."""

    def __init__(self, resource: Any, wire: socket.socket, address: str, timeout_s: float, gap_s: float) -> None:
        """Use `ScpiLink.open`."""
        self.address = address
        self.timeout_s = timeout_s
        self.in_step = True  # no reply is outstanding that could be mistaken for the next one
        self._resource = resource  # PyVISA closes it when nothing refers to it
        self._socket = wire
        self._open = contextlib.ExitStack()
        self._open.callback(resource.close)
        self._open.enter_context(resource.ignore_warning(MAX_COUNT_READ))  # exactly the requested bytes were received
        self._gap_s = gap_s
        self._received = bytearray()
        self._sent_s = self._received_s = float("-inf")

    @classmethod
    def open(cls, address: str, timeout_s: float = 0.25, gap_s: float = 0.0, open_s: float = 0.5) -> Self:
        """Connect within `open_s`; `timeout_s` is the default of `ask`. Raise `LinkDropped`."""
        name = _resource_name(address)
        try:
            resource = _visa().open_resource(name, open_timeout=round(1000 * open_s))
        except Exception as error:  # pyvisa-py raises bare Exception here
            raise LinkDropped(
                f"cannot be opened: {error}", where=address, hint="check that the instrument is on"
            ) from error
        wire = cast("socket.socket", resource.visalib.sessions[resource.session].interface)
        link = cls(resource, wire, address, timeout_s, gap_s)
        refused = wire.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # pyvisa-py calls a refused socket open
        if refused or not _has_peer(wire):
            link.close()
            raise LinkDropped(
                "connection refused", where=address, hint="check that the instrument is on and the port is right"
            )
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # without it a write-then-query takes 44 ms
        return link

    @property
    def local_port(self) -> int:
        """The local port, by which the instrument's journal names this connection."""
        return int(self._socket.getsockname()[1])

    @property
    def peer(self) -> str:
        """The numeric address of the other side; empty once it has disconnected."""
        try:
            return str(self._socket.getpeername()[0])
        except OSError:
            return ""

    @property
    def sampled_s(self) -> float:
        """The estimated sample time of the newest reply: half way between query and reply."""
        return 0.5 * (self._sent_s + self._received_s)

    def write(self, message: bytes) -> None:
        """Send one terminated message, after the gap that the instrument needs; raise `LinkDropped`."""
        wait_s = self._sent_s + self._gap_s - monotonic()
        if wait_s > 0.0:
            time.sleep(wait_s)
        try:
            self._resource.visalib.write(self._resource.session, message)
        except Exception as error:  # OSError from the socket or VisaIOError from the layer above
            raise LinkDropped(f"accepts no more bytes: {error}", where=self.address) from error
        self._sent_s = monotonic()

    def ask(self, message: bytes, units: int = 1, timeout_s: float | None = None) -> bytes:
        """Send `units` queries and return their reply, one line each or several per line separated by `;`.

        Raise `LinkSilent`, `LinkDropped` or `LinkGarbage`.
        """
        self.drain()
        self.write(message)
        self.in_step = False
        within_s = self.timeout_s if timeout_s is None else timeout_s
        until_s = self._sent_s + within_s
        reply = self._line(until_s, within_s)
        while (answered := reply.count(b";") + 1) < units:
            try:
                reply += b";" + self._line(until_s, within_s)
            except LinkSilent as error:
                raise LinkGarbage(f"answered {answered} of {units} queries", where=self.address) from error
        self.in_step = True
        self._received_s = monotonic()
        return reply

    def find_step(self, query: bytes, is_reply: Callable[[bytes], bool], timeout_s: float) -> bool:
        """Send `query` and drop lines up to its reply: late replies to others precede it. Return False without one."""
        self.in_step = False
        try:
            self.write(query)
            while not is_reply(self._line(self._sent_s + timeout_s, timeout_s)):
                pass
        except (LinkSilent, LinkGarbage):
            return False
        self.in_step = True
        self._received_s = monotonic()
        return True

    def drain(self) -> None:
        """Drop unrequested input; raise `LinkDropped` if the other side has closed the connection."""
        self._received.clear()
        while select.select([self._socket], [], [], 0.0)[0]:
            self._take()
        self._received.clear()

    def close(self) -> None:
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _line(self, until_s: float, within_s: float) -> bytes:
        while (end := self._received.find(b"\n")) < 0:
            if len(self._received) > LONGEST_LINE:
                raise LinkGarbage(f"sent {LONGEST_LINE} bytes without a line end", where=self.address)
            left_s = max(0.0, until_s - monotonic())
            if not select.select([self._socket], [], [], left_s)[0]:
                raise self._overdue(within_s)
            self._take()
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line.rstrip(b"\r")

    def _overdue(self, within_s: float) -> LinkSilent | LinkGarbage:
        if self._received:
            return LinkGarbage(f"answered {bytes(self._received[:40])!r} without a line end", where=self.address)
        late_ms = round(1000 * within_s)
        return LinkSilent(f"does not answer within {late_ms} ms", where=self.address, hint="check power and cable")

    def _take(self) -> None:
        """Read the bytes that have arrived, and no more from PyVISA, because pyvisa-py spins on a closed socket."""
        try:
            waiting = len(self._socket.recv(LONGEST_LINE, socket.MSG_PEEK))
            if waiting:
                self._received += cast(
                    "bytes", self._resource.visalib.read(self._resource.session, min(waiting, 4096))[0]
                )
                return
        except Exception as error:  # OSError from the socket or VisaIOError from the layer above
            raise LinkDropped(f"lost the connection: {error}", where=self.address) from error
        raise LinkDropped("has closed the connection", where=self.address)


def _has_peer(wire: socket.socket) -> bool:
    try:
        wire.getpeername()
    except OSError:
        return False
    return True
