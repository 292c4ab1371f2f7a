"""The commands to each device in the fleet's database: one document a device, the newest commands in it."""

from __future__ import annotations

import secrets
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import DocumentChanged, Refused
from edge_bridge.fleet.device_command import CommandKind, DeviceCommand, parse_command
from edge_bridge.fleet.documents.document import MAX_FOUND

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_bridge.fleet.documents.document import FleetDocument
    from edge_bridge.fleet.documents.sql_documents import SqlDocuments
    from edge_bridge.fleet.store.audit_chain import AuditNote

KIND: Final = "commands"
KEPT: Final = 50  # commands of one device that are remembered
MAX_OPEN: Final = 10  # that wait for one device
TRIES: Final = 8


def make_command(
    kind: CommandKind, span_ms: tuple[int, int], by: str, *, request: str = "", rows: str = ""
) -> DeviceCommand:
    """Make a command with a number of its own, from its begin to its expiry."""
    return DeviceCommand(secrets.token_hex(6), kind, *span_ms, by, request=request, rows=rows)


class CommandBook:
    """The commands; threads and hosts may share the database."""

    def __init__(self, documents: SqlDocuments) -> None:
        self._documents, self._changed = documents, SimpleQueue[str]()

    def take_changed(self) -> list[str]:
        """Return the devices that got a command by this book since the last call."""
        found = list[str]()
        while not self._changed.empty():
            found.append(self._changed.get())
        return found

    def list_commands(self, node: str) -> list[DeviceCommand]:
        """Return the commands of a device, the newest first."""
        return _read(self._documents.get(KIND, node))[0][::-1]

    def find_open(self) -> list[str]:
        """Return the devices with an open command."""
        found, after = list[str](), ""
        while page := self._documents.find(KIND, after=after, limit=MAX_FOUND):
            found += [one.key for one in page if any(command.is_open for command in _read(one)[0])]
            after = page[-1].key
        return found

    def add(self, node: str, made: DeviceCommand, note: AuditNote) -> DeviceCommand:
        """Queue a command of `make_command`; raise `Refused` while too many wait for the device."""

        def append(known: list[DeviceCommand]) -> list[DeviceCommand]:
            if sum(one.is_open for one in known) >= MAX_OPEN:
                what, hint = f"{MAX_OPEN} commands wait for {node} already", "wait until they are done or expired"
                raise Refused(what, key="commands", value=node, bound=MAX_OPEN, hint=hint)
            closed = [one for one in known if not one.is_open]
            return closed[-(KEPT - MAX_OPEN) :] + [one for one in known if one.is_open] + [made]

        self.change(node, append, note)
        self._changed.put(node)
        return made

    def change(
        self, node: str, change: Callable[[list[DeviceCommand]], list[DeviceCommand]], note: AuditNote | None = None
    ) -> None:
        """Store what `change` makes of the commands of a device, the oldest first; raise `DocumentChanged`."""
        for left in reversed(range(TRIES)):
            known, etag = _read(self._documents.get(KIND, node))
            wanted = change(known)
            if wanted == known:
                return
            body = {"version": 1, "commands": [one.as_body() for one in wanted]}
            try:
                self._documents.put(KIND, node, body, node=node, expected=etag, note=note)
            except DocumentChanged:
                if not left:
                    raise
            else:
                return


def _read(found: FleetDocument | None) -> tuple[list[DeviceCommand], str]:
    if found is None:
        return [], ""
    commands: list[dict[str, Any]] = found.body["commands"]
    return [parse_command(one) for one in commands], found.etag
