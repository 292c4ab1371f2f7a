"""The fleet at work: link, host and store joined; what was heard is committed, then acknowledged."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from drivers.errors import Usage
from edge_bridge.fleet import commands
from edge_bridge.fleet.host import FLAGGED, REFUSED, Host, Now
from edge_bridge.fleet.push import Push
from edge_bridge.fleet.store import CONFLICT, Store
from edge_bridge.fleet.view import FleetView, NodeView
from edge_bridge.mqtt import Down, Link, Message, Up
from edge_bridge.sparkplug import topics
from edge_bridge.sparkplug.payload import PayloadError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_bridge.fleet.store import Batch
    from edge_bridge.fleet.summary import NodeSummary
    from edge_bridge.mqtt import Event

GROUP: Final = "pulsebms"
HOST: Final = "fleet"


def _checked(name: str, what: str) -> None:
    try:
        topics.named(name, what)
    except PayloadError as error:
        raise Usage(error.what, key=what, value=name, hint="name it otherwise") from error


def unknown(node: str, known: list[str]) -> Usage:
    """What is wrong with a node that nobody has heard."""
    hint = f"there is {', '.join(known)}" if known else "start an edge first"
    return Usage(f"no node {node} has been heard", key="to", value=node, bound=known, hint=hint)


class Fleet:
    """One host application; call `turn` in a loop from the thread that made it, `close` at the end."""

    def __init__(
        self,
        url: str,
        db: Path,
        now: Callable[[], Now],
        *,
        group: str = GROUP,
        host: str = HOST,
        open_store: Callable[[Path], Store] = Store,
    ) -> None:
        """Connects on its own. Raises `Usage` for an address or a file that makes no sense."""
        _checked(group, "group")
        _checked(host, "host")
        self._now = now
        self._store = open_store(db)
        try:
            self._host = Host(group, host, self._store.notes())
        except Usage:
            self._store.close()
            raise
        self._host.down()
        self._counts = Counter[tuple[str, str]]()
        for kind in (REFUSED, FLAGGED):
            self._counts.update({(kind, reason): count for reason, count in self._store.counts(kind).items()})
        self._totals, self._rows = self._store.totals(), self._store.rows_of()
        self._pushes = dict[str, Push]()
        self._resent, self._will_ms = 0, 0
        self._down_s: float | None = None
        self._outage_s = 0.0
        self._trouble, self._store_trouble = "not connected yet", ""
        self._kept: Batch | None = None  # what a full disk did not take
        try:
            client = f"{host}-{secrets.token_hex(4)}"
            self._link = Link(url, client, self._will, self._host.subscriptions)
        except Usage:
            self._store.close()
            raise

    @property
    def connected(self) -> bool:
        return self._link.up

    def turn(self, wait_s: float) -> None:
        """Wait up to `wait_s` for something to be heard, and deal with all that has been."""
        events = self._link.poll(wait_s)
        for event in events:
            self._hear(event)
        self._commit()
        self._send_pieces()

    def send_bundle(self, data: bytes, node: str) -> None:
        """Begin to send a bundle, instead of any other that is on its way there. Raises `Usage`: no such node."""
        if not self.knows(node):
            raise unknown(node, list(self._host.nodes))
        self._pushes[node] = Push(node, data, self._host.nodes[node].status, self._now().mono_s)

    def knows(self, node: str) -> bool:
        """Whether the node has ever been heard."""
        return node in self._host.nodes

    def call(self, node: str) -> None:
        """Ask a node that was never heard to make itself known; raises `Usage` for what is no name of a node."""
        _checked(node, "node")
        self._host.call(node, self._now())

    def view(self) -> FleetView:
        """How it stands now."""
        totals = self._totals
        running_s = 0.0 if self._down_s is None else self._now().mono_s - self._down_s
        return FleetView(
            connected=self._link.up,
            trouble=self._store_trouble or self._trouble,
            outage_s=self._outage_s + running_s,
            nodes=tuple(
                NodeView(
                    name,
                    node.online,
                    self._rows.get(name, 0),
                    node.last_ms,
                    dict(node.status),
                    self._pushes[name].progress if name in self._pushes else None,
                )
                for name, node in sorted(self._host.nodes.items())
            ),
            totals=totals,
            resent=self._resent,
            refused={reason: count for (kind, reason), count in self._counts.items() if kind == REFUSED},
            flagged={reason: count for (kind, reason), count in self._counts.items() if kind == FLAGGED},
        )

    def summary(self) -> list[NodeSummary]:
        """Rows of each node, counted from the tables."""
        return self._store.summary()

    def close(self) -> None:
        """Commit what was heard, say goodbye, disconnect."""
        with ExitStack() as undo:
            undo.callback(self._store.close)
            undo.callback(self._link.close)
            self._commit()
            self._link.publish(commands.state(self._host.host, self._will_ms, online=False))

    def _will(self) -> Message:
        return commands.state(self._host.host, self._now().ms, online=False)

    def _hear(self, event: Event) -> None:
        now = self._now()
        match event:
            case Up(will=will):
                self._will_ms = json.loads(will.payload)["timestamp"] if will else now.ms
                self._trouble = ""
                if self._down_s is not None:
                    self._outage_s, self._down_s = self._outage_s + now.mono_s - self._down_s, None
                self._host.up(self._will_ms, now)
            case Down(reason=reason):
                was_up, self._trouble = not self._trouble, reason
                if was_up:
                    self._down_s = now.mono_s
                self._host.down()
            case _:
                self._host.heard(event, now, self._will_ms)

    def _commit(self) -> None:
        """One transaction for all that came, then the acknowledgements: never the other way round."""
        batch, outgoing = self._host.drained()
        if self._kept is not None:
            batch, self._kept = self._kept.joined(batch), None
        if batch:
            try:
                stored = self._store.take(batch)
            except sqlite3.Error as error:
                self._store_trouble = f"the store takes nothing: {error}"
                batch.rows.clear()  # nobody was told that they are here: they come again
                self._kept = batch
            else:
                self._store_trouble = ""
                self._counts.update(batch.counts)
                self._counts[CONFLICT] += stored.conflicts
                self._resent += stored.duplicates
                if batch.rows or batch.births:
                    self._totals, self._rows = self._store.totals(), self._store.rows_of()
                now = self._now()
                outgoing += commands.acknowledgements(self._host.group, stored.kept, now.ms)
        for message in outgoing:
            self._link.publish(message)

    def _send_pieces(self) -> None:
        now = self._now()
        for name, push in self._pushes.items():
            node = self._host.nodes[name]
            push.hear(node.status, now.mono_s)
            if node.online:
                for piece in push.due(now.mono_s):
                    self._link.publish(commands.command(self._host.group, name, piece, now.ms))
