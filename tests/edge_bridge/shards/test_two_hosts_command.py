"""Two hosts, one database: the one with the lease of a device's group sends its commands, also after it moved."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from edge_bridge.fleet.api.context import ApiContext
from edge_bridge.fleet.command_book import make_command
from edge_bridge.fleet.device_command import CommandKind, CommandState
from edge_bridge.fleet.documents.sql_documents import SqlDocuments
from edge_bridge.fleet.fleet_thread import read_clocks
from edge_bridge.fleet.host_requests import HostRequests
from edge_bridge.fleet.shard_choice import ShardChoice, find_shard
from edge_bridge.fleet.sharded_fleet import ShardedFleet
from edge_bridge.fleet.store.audit_chain import AuditNote
from edge_bridge.fleet.store.fleet_reader import FleetReader
from edge_bridge.fleet.store.fleet_writer import FleetWriter
from edge_bridge.fleet.store.history import History
from fixtures.broker import start_broker
from tests.edge_bridge.shards.light_edges import LightEdges
from tests.waiting import wait_until
from workbench.compose.fleet_api import make_command_driver

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import URL

    from edge_bridge.fleet.device_command import DeviceCommand

pytestmark = [pytest.mark.live, pytest.mark.timeout(400)]
GROUPS = [
    next(name for name in (f"site-{n}" for n in range(1, 99)) if find_shard(name, 2) == shard) for shard in (0, 1)
]
NODES = ("pack-1", "pack-2")  # one in each group
LONG_S = 120.0


class NotedFleet(ShardedFleet):
    """A host that notes the commands that it was asked to send, and whether it has the device."""

    def note_in(self, sent: list[tuple[str, str, bool]], name: str) -> None:
        self._sent, self._name = sent, name

    def send_command(self, node: str, command: DeviceCommand) -> None:
        self._sent.append((self._name, command.id, self.has_node(node)))
        super().send_command(node, command)


class CommandingHost:
    """One host with its part of the API that moves commands on."""

    def __init__(self, broker: str, url: URL, shard: int, sent: list[tuple[str, str, bool]]) -> None:
        name = f"host-{shard}"
        self.fleet = NotedFleet(*(broker, url, read_clocks), groups=GROUPS, choice=ShardChoice(shard, 2), holder=name)
        self.fleet.note_in(sent, name)
        where = url.render_as_string(hide_password=False)
        ports = (FleetReader(where), History(where), FleetWriter(where), self.fleet, SqlDocuments(url))
        self.context = ApiContext(*ports, lambda: read_clocks().ms)
        self.requests = HostRequests()
        self.driver = make_command_driver(self.context, self.requests)

    def turn(self) -> None:
        self.fleet.turn(0.02)
        self.driver.turn()
        self.requests.run(self.fleet)

    def queue(self, node: str) -> str:
        """Queue a command for a device; it need not be one of this host."""
        now_ms = read_clocks().ms
        rows = f"{NODES.index(node) + 1:x}:1"  # of a boot that the device never had: it answers that it has none
        made = make_command(CommandKind.RESEND, (now_ms, now_ms + 600_000), "ann", request="r-1", rows=rows)
        return self.context.commands.add(node, made, AuditNote(now_ms, "ann", "command.resend", node)).id

    def find_state(self, node: str, number: str) -> CommandState:
        return next(one.state for one in self.context.commands.list_commands(node) if one.id == number)

    def close(self) -> None:
        self.fleet.close()
        self.context.close()


def test_the_host_with_the_lease_sends_and_each_command_is_done_once(
    url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_bridge.fleet.command_driver.LIST_S", -1.0)  # each looks at the database at each turn
    monkeypatch.setattr("edge_bridge.fleet.api.device_directory.FRESH_S", -1.0)
    sent = list[tuple[str, str, bool]]()
    with ExitStack() as undo:
        broker = start_broker(tmp_path / "broker")
        undo.callback(broker.stop)
        first, second = (CommandingHost(broker.url, url, shard, sent) for shard in (0, 1))
        undo.callback(second.close)
        alive = [first, second]
        edges = undo.enter_context(closing(LightEdges(broker.url, GROUPS, tmp_path)))

        def wait_for(holds: Callable[[], bool], what: str) -> None:
            def look() -> bool:
                for host in alive:
                    host.turn()
                return holds()

            wait_until(look, LONG_S, what)

        wait_for(lambda: first.fleet.has_node(NODES[0]) and second.fleet.has_node(NODES[1]), "a shard for each host")
        numbers = [second.queue(NODES[0]), first.queue(NODES[1])]  # each at the host that does not have the device
        wait_for(
            lambda: all(first.find_state(*one) is CommandState.DONE for one in zip(NODES, numbers, strict=True)),
            "both commands",
        )
        assert {(name, number, has) for name, number, has in sent} == {
            ("host-0", numbers[0], True),
            ("host-1", numbers[1], True),
        }
        first.close()
        alive.remove(first)
        sent.clear()
        number = second.queue(NODES[0])
        wait_for(lambda: second.find_state(NODES[0], number) is CommandState.DONE, "the command, by the other host")
        assert {(name, one, has) for name, one, has in sent} == {("host-1", number, True)}
        for edge, expected in zip(edges.edges, ([numbers[0], number], [numbers[1]]), strict=True):
            done = [line for line in edge.said if line.startswith("command received")]
            assert done == [f"command received command={one} request_id=r-1 kind=resend rows=0" for one in expected]
