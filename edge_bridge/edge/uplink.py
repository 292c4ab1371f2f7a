"""The uplink to the fleet: send births, outbox rows and status; receive acknowledgements and bundle pieces."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final, Protocol

from edge_bridge import metrics
from edge_bridge.edge.node import Acknowledgement, HostState, Piece, RebirthRequest, ResendRequest
from edge_bridge.edge.send_window import SendWindow
from edge_bridge.mqtt import LinkDown, LinkUp, MqttMessage
from edge_bridge.ranges import NumberSet
from edge_bridge.sparkplug.acks import format_acks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edge_bridge.edge.clocks import Clocks
    from edge_bridge.edge.node import CommandMark, EdgeNode, HostMessage
    from edge_bridge.edge.outbox import Outbox
    from edge_bridge.edge.row import OutboxRow
    from edge_bridge.metrics import Scalar
    from edge_bridge.mqtt import LinkEvent
    from edge_bridge.sparkplug.acks import Acks

MAX_BURST: Final = 250  # rows at once: the loop must also serve the pack
STATUS_S: Final = 1.0
REBIRTH_S: Final = 1.0  # the shortest time between two births on request
NEVER_SENT: Final = "never_sent"  # refused acknowledgements
_URGENT_PREFIX: Final = "Bundle/"
MAX_ANSWERED: Final = 20  # commands that are remembered, so that each is done once however often it comes
_ANSWER_METRICS: Final = (metrics.ANSWERED, metrics.ANSWERED_REQUEST, metrics.ANSWER)
_UPDATE_METRICS: Final = (metrics.DESIRED, metrics.STATE, metrics.REASON, metrics.RECEIVED)


class MqttPublisher(Protocol):
    """An MQTT link that never blocks."""

    def publish(self, message: MqttMessage) -> bool: ...


class Uplink:
    """One node on one MQTT link; `outage_s` is the total time without a broker, in s."""

    def __init__(
        self,
        link: MqttPublisher,
        node: EdgeNode,
        outbox: Outbox,
        clocks: Clocks,
        *,
        store_bd_seq: Callable[[int], None],
        log: Callable[[str], None],
    ) -> None:
        self._link, self._node, self._outbox, self._clocks = link, node, outbox, clocks
        self._store_bd_seq, self._log = store_bd_seq, log
        self._down_since_s: float | None = clocks.now()
        self._outage_s = 0.0
        self._host_online = True
        self._window = SendWindow()
        self._sent: dict[str, NumberSet] = {}  # rows that were sent since the start, by boot
        self._published: dict[str, Scalar] = {}
        self._published_s = float("-inf")
        self._answers: dict[str, dict[str, Scalar]] = {}  # by the id of the command
        self._answer: dict[str, Scalar] = {}  # the newest
        self._rebirth_requested = False
        self._rebirth_s = float("-inf")

    @property
    def outage_s(self) -> float:
        running_s = 0.0 if self._down_since_s is None else self._clocks.now() - self._down_since_s
        return self._outage_s + running_s

    def handle_events(self, events: Sequence[LinkEvent], values: Mapping[str, Scalar]) -> list[Piece]:
        """Handle the link events; use `values` for a birth. Return the bundle pieces for the caller to handle."""
        pieces: list[Piece] = []
        for event in events:
            match event:
                case LinkUp(will):
                    self._handle_up(will, values)
                case LinkDown(reason):
                    self._handle_down(reason)
                case MqttMessage():
                    for received in self._node.handle(event):
                        self._handle_message(received, pieces)
        now_s = self._clocks.now()
        if self._rebirth_requested and self._node.is_born and now_s - self._rebirth_s >= REBIRTH_S:
            self._rebirth_s = now_s
            self._mark_unsent()  # a host without our birth has refused the rows that it received
            self._publish_birth(values, None)
        self._rebirth_requested = False  # one that comes too early is dropped: the fleet repeats it
        if pieces:
            for name in _UPDATE_METRICS:
                self._published.pop(name, None)  # publish it again, in case the fleet missed it
        return pieces

    def send_rows(self) -> None:
        """Send the rows that are due, the newest first, as many as the link accepts."""
        if not self._node.is_born:
            return
        now_s, now_ms = self._clocks.now(), self._clocks.stamp_ms()
        if self._outbox.expire(now_s):
            self._window.note_late()
        rows = self._outbox.due(min(MAX_BURST, self._window.size - self._outbox.in_flight), now_s)
        taken: list[OutboxRow] = []
        for row in rows:
            if not self._link.publish(self._node.make_row(row, now_ms)):
                break
            taken.append(row)
            self._window.note_sent(row.key.boot, row.key.seq, now_s)
            self._sent.setdefault(row.key.boot, NumberSet()).add(row.key.seq)
        self._outbox.mark_sent(taken, now_s)

    def publish_status(self, values: Mapping[str, Scalar]) -> None:
        """Publish the status that changed: the bundle's at once, all else once a second."""
        changes = {
            name: value
            for name, value in {**values, **self._answer}.items()
            if name not in self._published or self._published[name] != value
        }
        now_s = self._clocks.now()
        urgent = any(name.startswith(_URGENT_PREFIX) for name in changes)
        if not self._node.is_born or not changes or not (urgent or now_s - self._published_s >= STATUS_S):
            return
        if self._link.publish(self._node.make_status(changes, self._clocks.stamp_ms())):
            self._published.update(changes)
            self._published_s = now_s

    def publish_death(self) -> None:
        """Publish the death of the node before it disconnects."""
        if self._node.is_born:
            self._link.publish(self._node.make_death(self._clocks.stamp_ms()))

    def _handle_message(self, message: HostMessage, pieces: list[Piece]) -> None:
        match message:
            case Acknowledgement(boots):
                self._acknowledge(boots)
            case ResendRequest(boots, mark):
                if not self._repeat_answer(mark):
                    self._resend(boots, mark)
            case RebirthRequest(mark):
                self._rebirth_requested = True
                if mark is not None and not self._repeat_answer(mark):
                    self._log(f"command received command={mark.id} request_id={mark.request} kind=rebirth")
                    self._note_answer(mark, "a birth was sent")
            case Piece():
                pieces.append(message)
            case HostState(online):
                if online != self._host_online:
                    self._log("the fleet is online" if online else "the fleet is offline; rows wait in the outbox")
                if online:
                    self._mark_unsent()
                else:
                    self._window.restart()  # if it is online after all, it acknowledges these few
                self._host_online = online

    def _resend(self, boots: Acks, mark: CommandMark | None) -> None:
        again = sum(self._outbox.resend(boot, ranges) for boot, ranges in boots.items())
        if mark is None:
            self._log(f"the fleet lacks rows that it had acknowledged; {again} of them are sent again")
            return
        self._log(f"command received command={mark.id} request_id={mark.request} kind=resend rows={again}")
        self._note_answer(mark, f"{again} rows are sent again")

    def _repeat_answer(self, mark: CommandMark | None) -> bool:
        """Answer a command again that was done already; return whether it was."""
        if mark is None or mark.id not in self._answers:
            return False
        self._answer = self._answers[mark.id]
        for name in _ANSWER_METRICS:
            self._published.pop(name, None)
        return True

    def _note_answer(self, mark: CommandMark, words: str) -> None:
        self._answer = dict(zip(_ANSWER_METRICS, (mark.id, mark.request, words), strict=True))
        self._answers[mark.id] = self._answer
        while len(self._answers) > MAX_ANSWERED:
            del self._answers[next(iter(self._answers))]

    def _acknowledge(self, boots: Acks) -> None:
        """Delete the rows that the host stored; refuse a message that names a row which was never sent."""
        sent = self._sent
        if not all(boot in sent and sent[boot].has_all(*span) for boot, spans in boots.items() for span in spans):
            if not self._node.refused[NEVER_SENT]:
                self._log("an acknowledgement of rows that were never sent is refused: does a stranger send messages?")
            self._node.refused[NEVER_SENT] += 1
            return
        in_flight = self._outbox.in_flight
        rows = sum(self._outbox.acknowledge(boot, ranges) for boot, ranges in boots.items())
        self._window.note_acknowledged(boots, rows, in_flight, self._clocks.now())

    def _handle_up(self, will: MqttMessage | None, values: Mapping[str, Scalar]) -> None:
        if self._down_since_s is not None:
            outage_s = self._clocks.now() - self._down_since_s
            self._outage_s += outage_s
            self._log(f"connected to the broker after {outage_s:.1f} s; {self._outbox.depth} rows wait")
        self._down_since_s = None
        self._host_online = True  # until it reports offline
        self._window = SendWindow()  # the way to the host may be another one
        self._outbox.mark_unsent()
        self._publish_birth(values, will)
        if self._node.bd_seq is not None:
            with contextlib.suppress(OSError):  # a full disk: the next boot may use a number twice
                self._store_bd_seq(self._node.bd_seq)

    def _handle_down(self, reason: str) -> None:
        if self._down_since_s is None:
            self._down_since_s = self._clocks.now()
        self._node.disconnect()
        self._log(f"not connected to the broker: {reason}; rows wait in the outbox")

    def _mark_unsent(self) -> None:
        """Let all rows be due that are not acknowledged: those on their way may be lost."""
        self._window.restart()
        self._outbox.mark_unsent()

    def _publish_birth(self, values: Mapping[str, Scalar], will: MqttMessage | None) -> None:
        newest = self._outbox.newest
        row: dict[str, Scalar] = {
            metrics.ROW_BOOT: self._outbox.boot,
            metrics.ROW_SEQ: newest or None,
            metrics.KEPT: next(format_acks(self._outbox.kept), ""),
        }
        told = {**values, **self._answer}
        if self._link.publish(self._node.make_birth({**told, **row}, self._clocks.stamp_ms(), will)):
            self._published = told
