"""What goes to the fleet and comes from it: births, rows out of the outbox, status; acknowledgements, pieces."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final, Protocol

from edge_bridge.edge import metrics
from edge_bridge.edge.node import Acknowledged, Host, Piece, Rebirth
from edge_bridge.mqtt import Down, Message, Up

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edge_bridge.edge.clocks import Clocks
    from edge_bridge.edge.node import Heard, Node
    from edge_bridge.edge.outbox import Outbox
    from edge_bridge.edge.row import Row, Value
    from edge_bridge.mqtt import Event

BURST: Final = 250  # rows at once: the loop has a pack to look after as well
UNHEARD: Final = 10  # rows at once for a host that says it is away: should it be there, it answers
TELL_S: Final = 1.0
_AT_ONCE: Final = "Bundle/"
_OF_OFFER: Final = (metrics.DESIRED, metrics.STATE, metrics.REASON, metrics.RECEIVED)


class Wire(Protocol):
    """An MQTT link that never blocks."""

    def publish(self, message: Message) -> bool: ...


class Voice:
    """One node on one link; `outage_s` is how long there was no broker."""

    def __init__(
        self,
        wire: Wire,
        node: Node,
        outbox: Outbox,
        clocks: Clocks,
        *,
        keep_bd_seq: Callable[[int], None],
        say: Callable[[str], None],
    ) -> None:
        self._wire, self._node, self._outbox, self._clocks = wire, node, outbox, clocks
        self._keep_bd_seq, self._say = keep_bd_seq, say
        self._down_since_s: float | None = clocks.now()
        self._outage_s = 0.0
        self._host_online = True
        self._told: dict[str, Value] = {}
        self._told_s = float("-inf")
        self._rebirth = False

    @property
    def outage_s(self) -> float:
        running_s = 0.0 if self._down_since_s is None else self._clocks.now() - self._down_since_s
        return self._outage_s + running_s

    def hear(self, events: Sequence[Event], values: Mapping[str, Value]) -> list[Piece]:
        """Act on what happened; `values` are for a birth. The pieces of a bundle are the caller's."""
        pieces: list[Piece] = []
        for event in events:
            match event:
                case Up(will):
                    self._up(will, values)
                case Down(reason):
                    self._down(reason)
                case Message():
                    for heard in self._node.hear(event):
                        self._act(heard, pieces)
        if self._rebirth and self._node.born:
            self._birth(values, None)
        self._rebirth = False
        if pieces:
            for name in _OF_OFFER:
                self._told.pop(name, None)  # it is told again, should the fleet have missed it
        return pieces

    def send(self) -> None:
        """Rows that are due, the newest first, as many as the link takes."""
        if not self._node.born:
            return
        now_s, now_ms = self._clocks.now(), self._clocks.stamp_ms()
        rows = self._outbox.due(BURST if self._host_online else UNHEARD, now_s)
        taken: list[Row] = []
        for row in rows:
            if not self._wire.publish(self._node.row(row, now_ms)):
                break
            taken.append(row)
        self._outbox.sent(taken, now_s)

    def tell(self, values: Mapping[str, Value]) -> None:
        """The status, where it changed: of a bundle at once, of anything else once a second."""
        news = {name: value for name, value in values.items() if name not in self._told or self._told[name] != value}
        now_s = self._clocks.now()
        urgent = any(name.startswith(_AT_ONCE) for name in news)
        if not self._node.born or not news or not (urgent or now_s - self._told_s >= TELL_S):
            return
        if self._wire.publish(self._node.status(news, self._clocks.stamp_ms())):
            self._told.update(news)
            self._told_s = now_s

    def leave(self) -> None:
        """Say that the node goes."""
        if self._node.born:
            self._wire.publish(self._node.death(self._clocks.stamp_ms()))

    def _act(self, heard: Heard, pieces: list[Piece]) -> None:
        match heard:
            case Acknowledged(boots):
                for boot, ranges in boots.items():
                    self._outbox.acknowledge(boot, ranges)
            case Rebirth():
                self._rebirth = True
            case Piece():
                pieces.append(heard)
            case Host(online):
                if online != self._host_online:
                    self._say("the fleet is there" if online else "the fleet is away: rows wait in the outbox")
                if online:
                    self._outbox.unsend()
                self._host_online = online

    def _up(self, will: Message | None, values: Mapping[str, Value]) -> None:
        if self._down_since_s is not None:
            away_s = self._clocks.now() - self._down_since_s
            self._outage_s += away_s
            self._say(f"the broker is there after {away_s:.1f} s; {self._outbox.depth} rows wait")
        self._down_since_s = None
        self._host_online = True  # until it says otherwise
        self._outbox.unsend()
        self._birth(values, will)
        if self._node.bd_seq is not None:
            with contextlib.suppress(OSError):  # a full disk: the next boot may meet a number twice
                self._keep_bd_seq(self._node.bd_seq)

    def _down(self, reason: str) -> None:
        if self._down_since_s is None:
            self._down_since_s = self._clocks.now()
        self._node.down()
        self._say(f"no broker: {reason}; rows wait in the outbox")

    def _birth(self, values: Mapping[str, Value], will: Message | None) -> None:
        newest = self._outbox.newest
        row: dict[str, Value] = {
            metrics.ROW_BOOT: self._outbox.boot,
            metrics.ROW_SEQ: newest or None,
        }
        if self._wire.publish(self._node.birth({**values, **row}, self._clocks.stamp_ms(), will)):
            self._told = dict(values)
