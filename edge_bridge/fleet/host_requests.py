"""What other threads ask of the fleet's host; its own thread does it."""

from __future__ import annotations

import queue
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from drivers.errors import Refused, Usage
from edge_bridge.fleet.device_command import DeviceCommand

if TYPE_CHECKING:
    from edge_bridge.fleet.process import FleetHost
    from edge_bridge.fleet.sharded_fleet import ShardedFleet

MAX_WAITING: Final = 4  # bundles, of up to 16 MB each
MAX_COMMANDS: Final = 1_000


class HostRequests:
    """Short queues of bundles and of commands to send."""

    def __init__(self) -> None:
        self._bundles = queue.Queue[tuple[bytes, str]](MAX_WAITING)
        self._commands = queue.Queue[tuple[str, DeviceCommand]](MAX_COMMANDS)

    def send_command(self, node: str, command: DeviceCommand) -> None:
        """Ask to send a command to a node, from any thread; raise `Refused` while too many wait."""
        try:
            self._commands.put_nowait((node, command))
        except queue.Full as error:
            what, hint = "the host has not sent the commands before this one yet", "try again in a second"
            raise Refused(what, key="commands", value=node, bound=MAX_COMMANDS, hint=hint) from error

    def send_bundle(self, data: bytes, node: str) -> None:
        """Ask to send a bundle to a node, from any thread; raise `Refused` while too many wait."""
        try:
            self._bundles.put_nowait((data, node))
        except queue.Full as error:
            what, hint = "the host has not taken the bundles before this one yet", "try again in a second"
            raise Refused(what, key="bundles", value=node, bound=MAX_WAITING, hint=hint) from error

    def run(self, fleet: FleetHost | ShardedFleet) -> bool:
        """Do what was asked, return whether anything was; a node that has lost its place meanwhile gets nothing."""
        has_work = not (self._bundles.empty() and self._commands.empty())
        while not self._commands.empty():
            fleet.send_command(*self._commands.get_nowait())
        while not self._bundles.empty():
            with suppress(Usage):
                fleet.send_bundle(*self._bundles.get_nowait())
        return has_work
