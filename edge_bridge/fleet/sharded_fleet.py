"""Several hosts of one fleet: each serves the groups of the shards that it holds, one `FleetHost` for each shard."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from drivers.errors import PulseError, StoreFailed
from edge_bridge.fleet.commands import make_state
from edge_bridge.fleet.names import check_name, make_unknown_node_error
from edge_bridge.fleet.process import HOST, FleetHost
from edge_bridge.fleet.shard_choice import choose_groups
from edge_bridge.fleet.shard_links import ShardLinks
from edge_bridge.fleet.shard_meters import ShardMeters
from edge_bridge.fleet.shards import ShardHolder
from edge_bridge.fleet.store.leases import LeaseTable
from edge_bridge.fleet.store.open_store import open_store
from edge_bridge.fleet.store.shard_store import ShardStore
from edge_bridge.fleet.view import FleetView

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import URL

    from edge_bridge.fleet.device_command import DeviceCommand
    from edge_bridge.fleet.host import Instant
    from edge_bridge.fleet.meter import FleetMeter
    from edge_bridge.fleet.shard_choice import ShardChoice
    from edge_bridge.fleet.store.leases import Lease
    from edge_bridge.fleet.summary import NodeSummary
    from edge_bridge.fleet.tap import FleetTap

MAX_WAIT_S: Final = 0.02  # for one shard, while others may have messages


class ShardedFleet:
    """One host of several; the same calls as `FleetHost`. Call `turn` in a loop, `close` at the end."""

    def __init__(
        self,
        url: str,
        db: URL,
        now: Callable[[], Instant],
        *,
        groups: Iterable[str],
        choice: ShardChoice,
        holder: str,
        host: str = HOST,
        admitted: Container[str] | None = None,
        tap: FleetTap | None = None,
        meter: FleetMeter | None = None,
        identity: Path | None = None,
    ) -> None:
        """Raise `Usage`, `Refused` or `StoreFailed`.

        `db` is a PostgreSQL server; `holder` names this host and start; `identity` is the folder of its certificate.
        `tap` gets what all its shards decode, `meter` how much that was.
        """
        self._groups = tuple(dict.fromkeys(groups))
        for name in self._groups:
            check_name(name, "group")
        self._broker, self._db, self._now, self._choice = url, db, now, choice
        self._links = ShardLinks(
            url, f"{host}-{holder}", lambda: make_state(host, now().ms, online=False), identity=identity
        )
        self._id, self._admitted, self._tap = host, admitted, tap
        self._meters = None if meter is None else ShardMeters(meter)
        self._all = open_store(
            db.render_as_string(hide_password=False)
        )  # for questions about the whole fleet; makes the tables
        self.notices = list[str](self._all.notices)
        self._hosts = dict[int, FleetHost]()
        self._leases = LeaseTable(db, holder)
        try:
            self._leases.prepare(choice.count)
        except BaseException:
            self._leases.close()
            self._all.close()
            raise
        self._holder = ShardHolder(self._leases, choice)
        self._trouble = ""
        totals = self._all.read_totals()
        self._last = FleetView(connected=False, trouble="", outage_s=0.0, nodes=(), totals=totals, resent=0)

    @property
    def shards(self) -> list[int]:
        """Return the shards that this host holds now, from 0."""
        return sorted(self._holder.held)

    @property
    def has_broker(self) -> bool:
        """Return whether all shards have a broker; a host without a shard waits for one, not for a broker."""
        return all(host.has_broker for host in self._hosts.values())

    @property
    def is_connected(self) -> bool:
        return all(host.is_connected for host in self._hosts.values())

    def read_trouble(self) -> str:
        """Return why this host cannot work, empty if it can or waits for a shard; any thread may ask."""
        troubles = [self._holder.trouble, self._trouble, *(host.read_trouble() for host in [*self._hosts.values()])]
        return next((trouble for trouble in troubles if trouble), "")

    def turn(self, wait_s: float) -> None:
        """Update the leases, then give each shard its turn; wait up to `wait_s` in all."""
        self._update_leases()
        for shard, host in [*self._hosts.items()]:
            self._abandon(self._holder.drop_expired(self._now().mono_s))  # a turn before may have taken long
            if shard in self._hosts:
                host.turn(min(wait_s, MAX_WAIT_S) / len(self._hosts))
        if not self._hosts:
            self._wait(wait_s)

    def send_bundle(self, data: bytes, node: str) -> None:
        """Start to send a bundle to a node of this host; raise `Usage` for any other."""
        for host in self._hosts.values():
            if host.has_node(node):
                host.send_bundle(data, node)
                return
        raise make_unknown_node_error(node, [known.node for known in self.view().nodes])

    def has_node(self, node: str) -> bool:
        """Return whether a node of this host's shards has ever sent a message; any thread may ask."""
        return any(host.has_node(node) for host in [*self._hosts.values()])

    def request_birth(self, node: str) -> None:
        """Request a birth from an unknown node in the groups of this host."""
        for host in self._hosts.values():
            host.request_birth(node)

    def send_command(self, node: str, command: DeviceCommand) -> None:
        """Send a command to a node of this host; do nothing for any other, which another host serves."""
        for host in self._hosts.values():
            if host.has_node(node):
                host.send_command(node, command)

    def view(self) -> FleetView:
        """Return a view of the nodes of this host; a shard that has just left stays in the totals."""
        views = [host.view() for host in self._hosts.values()]
        if not views:
            trouble = self._holder.trouble or self._trouble
            return replace(self._last, connected=False, trouble=trouble, nodes=(), shards=())
        newest = max(views, key=lambda view: view.totals.stored)
        troubles = (self._holder.trouble, self._trouble, *(view.trouble for view in views))
        self._last = FleetView(
            connected=self.is_connected,
            trouble=next((trouble for trouble in troubles if trouble), ""),
            outage_s=max(view.outage_s for view in views),
            nodes=tuple(sorted((node for view in views for node in view.nodes), key=lambda node: node.node)),
            totals=newest.totals,
            resent=sum(view.resent for view in views),
            refused=_take_highest([view.refused for view in views]),
            flagged=_take_highest([view.flagged for view in views]),
            shards=tuple(sorted(self._holder.held)),
        )
        return self._last

    def summary(self) -> list[NodeSummary]:
        """Return the rows of all nodes of the fleet, counted from the tables."""
        return self._all.summary()

    def close(self) -> None:
        """Commit and give all shards free."""
        with ExitStack() as undo:
            undo.callback(self._all.close)
            undo.callback(self._leases.close)
            for shard in [*self._hosts]:
                undo.callback(self._give_back, shard)

    def _update_leases(self) -> None:
        now_s = self._now().mono_s  # before the request: the lease ends later than this host believes
        self._abandon(self._holder.drop_expired(now_s))
        for lease in self._holder.update(now_s):
            self._serve(lease)
        self._abandon([shard for shard in self._hosts if shard not in self._holder.held])
        self._abandon(self._holder.drop_expired(self._now().mono_s))
        for shard in self._holder.find_wanted():
            self._give_back(shard)
        if self._meters is not None:
            self._meters.note_held(self._holder.held)

    def _serve(self, lease: Lease) -> None:
        groups = choose_groups(self._groups, lease.shard, self._choice.count)
        if not groups:
            return  # an empty shard is held, so that nobody looks for it
        try:
            self._hosts[lease.shard] = FleetHost(
                self._broker,
                self._db.render_as_string(hide_password=False),
                self._now,
                group=groups,
                host=self._id,
                open_store=lambda _: ShardStore(self._db, lease),
                admitted=self._admitted,
                open_link=self._links.open,
                tap=self._tap,
                meter=None if self._meters is None else self._meters.make(lease.shard),
            )
        except StoreFailed as error:
            self._trouble = f"shard {lease.shard + 1} cannot be served: {error.what}"
            self._holder.release(lease.shard)
        else:
            self._trouble = ""

    def _give_back(self, shard: int) -> None:
        host = self._pop(shard)
        try:
            if host is not None:
                host.close()
        except PulseError as error:
            self._trouble = f"shard {shard + 1} was not closed in order: {error.what}"
        finally:
            self._holder.release(shard)

    def _abandon(self, shards: Sequence[int]) -> None:
        for shard in shards:
            if (host := self._pop(shard)) is not None:
                host.abandon()

    def _pop(self, shard: int) -> FleetHost | None:
        if self._meters is not None:
            self._meters.drop(shard)
        return self._hosts.pop(shard, None)

    def _wait(self, wait_s: float) -> None:
        """Wait without a shard: there is no link whose events could end the wait."""
        time.sleep(wait_s)


def _take_highest(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Join counters that all begin with those of the database."""
    return {name: max(one.get(name, 0) for one in counts) for name in {name for one in counts for name in one}}
