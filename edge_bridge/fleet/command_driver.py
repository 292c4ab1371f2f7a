"""What moves the commands on: it reads what the devices told, stores the next state, then asks the host to send.

Every host of a fleet looks at all commands. The one that serves a device sends; the change in the database, which only
one of them can make, comes first. So a command is sent once, however many hosts there are.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from drivers.clock import monotonic
from drivers.errors import DocumentChanged, Refused
from edge_bridge.fleet.device_command import CommandSight, DeviceCommand, advance_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_bridge.fleet.command_book import CommandBook

LIST_S: Final = 30.0  # another host may have queued one


class CommandDriver:
    """One turn after the other."""

    def __init__(
        self,
        book: CommandBook,
        see: Callable[[str], CommandSight],
        send: Callable[[str, DeviceCommand], None],
        now_ms: Callable[[], int],
        tell: Callable[[str, DeviceCommand], None] = lambda _node, _command: None,
    ) -> None:
        """`send` asks the host and raises `Refused` while too much waits there; `tell` logs what was sent."""
        self._book, self._see = book, see
        self._send, self._now_ms, self._tell = send, now_ms, tell
        self._open = dict[str, None]()
        self._listed_s = float("-inf")

    def turn(self) -> None:
        """Move every command on; raise `StoreFailed`."""
        if monotonic() - self._listed_s > LIST_S:
            self._listed_s = monotonic()
            self._open.update(dict.fromkeys(self._book.find_open()))
        self._open.update(dict.fromkeys(self._book.take_changed()))
        for node in list(self._open):
            self._advance(node)

    def _advance(self, node: str) -> None:
        sight, now_ms = self._see(node), self._now_ms()
        due, is_open = list[DeviceCommand](), False

        def change(known: list[DeviceCommand]) -> list[DeviceCommand]:
            nonlocal due, is_open
            found = [advance_command(one, sight, now_ms) for one in known]
            due, is_open = [one for one, send in found if send], any(one.is_open for one, _ in found)
            return [one for one, _ in found]

        try:
            self._book.change(node, change)
        except DocumentChanged:
            return  # another host was first
        for command in due:
            with suppress(Refused):  # the host is busy: it is sent again
                self._send(node, command)
                self._tell(node, command)
        if not is_open:
            del self._open[node]
