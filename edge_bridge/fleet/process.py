"""The fleet host: MQTT link, host application and store together; commit what was received, then acknowledge it."""

from __future__ import annotations

import json
import secrets
from contextlib import ExitStack
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Final, cast

from drivers.errors import Refused, Usage
from edge_bridge import metrics
from edge_bridge.fleet import commands
from edge_bridge.fleet.bundle_transfer import BundleTransfer, find_due_pieces
from edge_bridge.fleet.command_sender import make_device_command, make_row_request
from edge_bridge.fleet.commit_thread import CommitThread
from edge_bridge.fleet.events import EventWatch
from edge_bridge.fleet.fleet_counts import FleetCounts
from edge_bridge.fleet.host import HostApplication, Instant
from edge_bridge.fleet.host_claim import HostClaim
from edge_bridge.fleet.meter import FleetFigures
from edge_bridge.fleet.missing_search import MissingSearch
from edge_bridge.fleet.names import check_name, make_unknown_node_error
from edge_bridge.fleet.store.open_store import open_store
from edge_bridge.fleet.store.records import CONFLICT, FLAGGED, OTHER_GROUP, REFUSED
from edge_bridge.fleet.view import FleetView, view_node
from edge_bridge.mqtt import MqttLink
from edge_bridge.mqtt_events import MAX_QUEUED, LinkDown, LinkUp
from edge_bridge.mqtt_frames import MqttMessage
from edge_bridge.sparkplug import topics

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable, Sequence
    from pathlib import Path

    from edge_bridge.fleet.commit_thread import Committed
    from edge_bridge.fleet.device_command import DeviceCommand
    from edge_bridge.fleet.meter import FleetMeter
    from edge_bridge.fleet.shard_links import HostLink
    from edge_bridge.fleet.store.port import FleetStore
    from edge_bridge.fleet.summary import NodeSummary
    from edge_bridge.fleet.tap import FleetTap

GROUP: Final = "pulsebms"
HOST: Final = "fleet"
MEASURE_S: Final = 1.0
PACE_S: Final = 0.01  # messages are collected for so long while a batch is committed


class FleetHost:
    """One host application; call `turn` in a loop from the thread that made it, `close` at the end."""

    def __init__(
        self,
        url: str,
        db: Path | str,
        now: Callable[[], Instant],
        *,
        group: str | Iterable[str] = GROUP,
        host: str = HOST,
        open_store: Callable[[Path | str], FleetStore] = open_store,
        admitted: Container[str] | None = None,
        take_over: bool = False,
        open_link: Callable[[Sequence[str]], HostLink] | None = None,
        tap: FleetTap | None = None,
        meter: FleetMeter | None = None,
        identity: Path | None = None,
    ) -> None:
        """Connect in the background; raise `Usage` for an unusable address or file, `StoreFailed` for a dead server.

        `db` is a file or the URL of a database.
        `identity` is the folder of this host's certificate, for an address of TLS.
        `admitted` are the names of the nodes that may join (None: any). `take_over` goes online although another host
        with this id is; else `turn` raises `OtherHostOnline`. `tap` gets what each turn decoded,
        `meter` how much that was.
        `group` is one name or several. With `open_link`, which gets the subscriptions, this is one shard of a host of
        several with this id: it takes only its own groups from the database, and `turn` does not wait for a commit.
        """
        groups = (group,) if isinstance(group, str) else tuple(group)
        for name in groups:
            check_name(name, "group")
        check_name(host, "host")
        self._now, self._tap, self._meter = now, tap, meter
        self._measured_s = float("-inf")
        self._is_shared = shared = open_link is not None
        self._store = open_store(db)
        self._trouble = "not connected yet"
        self.notices = list[str](self._store.notices)  # what of the file was converted, or could not be read
        known = self._store.read_nodes(self.notices.append)
        if shared:
            known = [note for note in known if note.group in groups]
        self._events = EventWatch(known)
        self._host = HostApplication(groups, host, known, admitted=admitted, now_s=now().mono_s, is_shared=shared)
        self._host.handle_disconnected()
        self._claim = HostClaim(host, take_over=take_over or shared)
        self._early = list[MqttMessage]()  # what arrived before the claim was held
        self._counts = FleetCounts(self._store, meter)
        self._transfers = dict[str, BundleTransfer]()
        self._resent, self._will_ms = 0, 0
        self._down_s: float | None = None
        self._outage_s = 0.0
        self._commits, self._search = CommitThread(self._store), MissingSearch(self._store)
        try:
            client = f"{host}-{secrets.token_hex(4)}"
            connect = open_link or partial(MqttLink, url, client, self._make_will, identity=identity)
            self._link: HostLink = connect(self._host.subscriptions)
        except (Usage, Refused):
            self._commits.close()
            self._store.close()
            raise

    @property
    def has_broker(self) -> bool:
        return self._link.is_up

    @property
    def is_connected(self) -> bool:
        """Return whether this host is online at the broker."""
        return self._link.is_up and self._claim.is_held

    def read_trouble(self) -> str:
        """Return why the host cannot work, empty if it can; any thread may ask."""
        trouble = self._find_trouble()
        return trouble or ("" if self.is_connected else "waiting whether another host is online")

    def turn(self, wait_s: float) -> None:
        """Wait up to `wait_s` for an event; handle all that have arrived. Raise `OtherHostOnline`."""
        may_wait_s = 0.0 if self._commits.is_busy else min(wait_s, self._commits.due_s)
        events = [] if self._commits.is_full else self._link.poll(may_wait_s)
        for kind, some in groupby(events, type):
            if kind is MqttMessage:
                self._handle_messages(cast("list[MqttMessage]", list(some)))
            else:
                for event in cast("list[LinkUp | LinkDown]", list(some)):
                    self._handle_event(event)
        now = self._now()
        if self._claim.update(now.mono_s):
            self._host.handle_connected(self._will_ms, now)
            self._host.handle_messages(self._early, now, self._will_ms)
            self._early = []
        self._host.request_due_births(now)
        self._collect()
        self._commit(wait_s)
        self._send_pieces()
        self._request_missing(now)
        if self._meter is not None and now.mono_s - self._measured_s >= MEASURE_S:
            self._measured_s = now.mono_s
            self._meter.note_figures(self._measure(now))

    def abandon(self) -> None:
        """End at once: another host may have the groups by now.

        What waits is not committed. What is being committed is not acknowledged; its thread closes the store after it.
        """
        with ExitStack() as undo:
            undo.callback(self._link.close)
            self._commits.abandon(self._close_store)
            if self._claim.is_held:  # the other hosts contradict it; without one it is true
                self._link.publish(commands.make_state(self._host.host, self._will_ms, online=False))

    def send_bundle(self, data: bytes, node: str) -> None:
        """Start to send a bundle, in place of any other transfer to this node; raise `Usage` for an unknown node."""
        if not self.has_node(node):
            raise make_unknown_node_error(node, list(self._host.nodes))
        self._transfers[node] = BundleTransfer(node, data, self._host.nodes[node].status, self._now().mono_s)

    def has_node(self, node: str) -> bool:
        """Return whether the node has ever sent a message; any thread may ask."""
        return node in self._host.nodes

    def request_birth(self, node: str) -> None:
        """Request a birth from an unknown node; raise `Usage` for an invalid node name."""
        check_name(node, "node")
        if not self._host.is_admitted(node):
            raise Usage(f"{node} is not listed as a node of this fleet", key="to", value=node, hint="add it to --nodes")
        self._host.request_birth(node, self._now())

    def send_command(self, node: str, command: DeviceCommand) -> None:
        """Send a command to a node; nothing to one that has lost its place or does not know such a command."""
        if self.has_node(node) and (message := make_device_command(self._host, node, command, self._now().ms)):
            self._link.publish(message)

    def view(self) -> FleetView:
        """Return a view of the fleet now."""
        rows = self._store.count_rows()
        running_s = 0.0 if self._down_s is None else self._now().mono_s - self._down_s
        return FleetView(
            connected=self.is_connected,
            trouble=self._find_trouble(),
            outage_s=self._outage_s + running_s,
            nodes=tuple(
                view_node(node, rows.get(name, 0), self._transfers.get(name))
                for name, node in sorted(self._host.nodes.items())
            ),
            totals=self._store.read_totals(),
            resent=self._resent,
            refused=self._counts.list_reasons(REFUSED),
            flagged=self._counts.list_reasons(FLAGGED),
        )

    def summary(self) -> list[NodeSummary]:
        """Return the rows of each node, counted from the tables."""
        self._acknowledge(self._commits.finish(None))
        return self._store.summary()

    def close(self) -> None:
        """Commit what was received, publish STATE offline, disconnect."""
        with ExitStack() as undo:
            undo.callback(self._close_store)
            undo.callback(self._commits.close)
            undo.callback(self._link.close)
            self._acknowledge(self._commits.finish(None))
            self._collect()
            self._commits.start(at_once=True)
            self._acknowledge(self._commits.finish(None))
            if self._claim.is_held:
                self._link.publish(commands.make_state(self._host.host, self._will_ms, online=False))

    def _close_store(self) -> None:
        self._search.close()
        self._store.close()

    def _find_trouble(self) -> str:
        return self._commits.trouble or self._search.trouble or self._trouble or self._describe_other()

    def _measure(self, now: Instant) -> FleetFigures:
        return FleetFigures(
            devices_known=len(self._host.nodes),
            devices_online=sum(node.online for node in self._host.nodes.values()),
            has_broker=self.has_broker,
            is_online=self.is_connected,
            outage_s=self._outage_s + (0.0 if self._down_s is None else now.mono_s - self._down_s),
            queued=self._link.queued,
            queued_bytes=self._link.queued_bytes,
            failed_commits=self._commits.failures,
        )

    def _make_will(self) -> MqttMessage:
        return commands.make_state(self._host.host, self._now().ms, online=False)

    def _handle_event(self, event: LinkUp | LinkDown) -> None:
        now = self._now()
        match event:
            case LinkUp(will=will):
                self._will_ms = json.loads(will.payload)["timestamp"] if will else now.ms
                self._trouble = ""
                if self._down_s is not None:
                    self._outage_s, self._down_s = self._outage_s + now.mono_s - self._down_s, None
                self._claim.handle_connected(now.mono_s)
                if self._claim.is_held:
                    self._host.handle_connected(self._will_ms, now)
            case LinkDown(reason=reason):
                was_up, self._trouble = not self._trouble, reason
                if was_up:
                    self._down_s = now.mono_s
                self._host.handle_disconnected()
                self._claim.handle_disconnected()
                self._early.clear()

    def _handle_messages(self, messages: Sequence[MqttMessage]) -> None:
        now = self._now()
        if self._claim.is_held:
            self._host.handle_messages(messages, now, self._will_ms)
            return
        for message in messages:
            self._handle_early(message, now)
        del self._early[:-MAX_QUEUED]

    def _handle_early(self, message: MqttMessage, now: Instant) -> None:
        """Handle a message that arrives before this host is online: keep it, or note the STATE of another host."""
        if message.topic != topics.make_state_topic(self._host.host):
            self._early.append(message)
        elif (state := commands.parse_state(message.payload)) is not None:
            self._claim.handle_state(now.mono_s, online=state[0])

    def _describe_other(self) -> str:
        if self._claim.is_waiting:
            return f"another host with the id {self._host.host} is online; waiting for it to leave"
        if self._host.is_other_online:
            return f"another host with the id {self._host.host} is online too; stop one of them"
        return ""

    def _collect(self) -> None:
        """Send what the application has to send, and hand its batch to the tap and to the next commit."""
        batch, outgoing = self._host.drain()
        batch.t_ms = self._now().ms
        batch.events += self._events.find(batch, batch.t_ms, is_connected=self._link.is_up)
        self._link.publish_all(outgoing)
        if self._tap is not None and (batch.rows or batch.notes):
            self._tap.handle_decoded(batch.rows, batch.notes)
        if self._meter is not None:
            self._meter.count_batch(len(batch.rows), batch.counts)
        self._commits.add(batch)

    def _commit(self, wait_s: float) -> None:
        """Commit what was collected; return when that is done, or when messages came that can be read meanwhile.

        One host of several waits no longer than `wait_s`, because other shards have their turn.
        """
        self._commits.start()
        while self._commits.is_busy:
            committed = self._commits.finish(min(PACE_S, wait_s) if self._is_shared else PACE_S)
            if committed is not None:
                self._acknowledge(committed)
                self._commits.start()
            if self._is_shared or (self._link.has_events and not self._commits.is_full):
                return

    def _acknowledge(self, committed: Committed | None) -> None:
        """Acknowledge the rows of a batch after its commit: never the other way round."""
        if committed is None:
            return
        self._counts.add_batch(committed.batch.counts)
        self._counts.add_batch({CONFLICT: committed.result.conflicts})
        self._resent += committed.result.duplicates
        self._drop_nodes(committed.result.strangers)
        if self._meter is not None:
            self._meter.count_commit(committed.duration_s, committed.result)
        acknowledgements = commands.make_acknowledgements(
            self._host.find_group,
            committed.result.kept,
            self._now().ms,
            host=self._host.host,
            with_host=lambda node: self._host.declares(node, metrics.ACKNOWLEDGED_BY),
        )
        self._link.publish_all(list(acknowledgements))

    def _drop_nodes(self, nodes: Collection[str]) -> None:
        """Drop nodes that are online at another host under another group, and all that is not committed of them."""
        if nodes:
            self._commits.drop_nodes(nodes)
        for name in nodes:
            self._host.drop_node(name)
            self._events.forget(name)
            self._counts.add((REFUSED, OTHER_GROUP))

    def _send_pieces(self) -> None:
        now = self._now()
        for name, piece in find_due_pieces(self._transfers, self._host.nodes, now.mono_s):
            self._link.publish(commands.make_command(self._host.find_group(name), name, piece, now.ms))

    def _request_missing(self, now: Instant) -> None:
        """Ask nodes again for rows that they keep and the database lacks: it may be a restored one."""
        may_start = self.is_connected and not self._commits.trouble
        for name, text in self._search.update(self._host.resends, now.mono_s, may_start=may_start):
            self._counts.add((FLAGGED, "resend_asked"))
            self._link.publish(make_row_request(self._host, name, text, now.ms))
