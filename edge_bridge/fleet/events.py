"""Events from changes: the state of a node before and after, and what a batch tells of it. No clock, no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_bridge import metrics
from edge_bridge.fleet.row_status import tells_the_same
from edge_bridge.fleet.store.records import ROW_CONFLICT, NodeEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from edge_bridge.fleet.store.records import Batch, NodeRecord
    from edge_bridge.metrics import Scalar

GRACE_MS: Final = 30_000  # after the host's own connection came back, before a node that is not back is offline
INFO, WARNING, CRITICAL = "info", "warning", "critical"
OFFLINE, ONLINE, REBOOT, TRIPPED, HELD, ALLOWED = "offline", "online", "reboot", "tripped", "held", "allowed"
BMS_FAULT, BMS_OK, GAP = "bms-fault", "bms-ok", "gap"
CLOCK_WRONG, CLOCK_RIGHT, REVOKED = "clock-wrong", "clock-right", "revoked"
QUOTA, COMMAND_ANSWERED = "quota", "command-answered"
BUNDLE_FAILED, BUNDLE_HEALTHY, BUNDLE_STATE = "bundle-failed", "bundle-healthy", "bundle-state"
KINDS: Final = (
    *(OFFLINE, ONLINE, REBOOT, TRIPPED, HELD, ALLOWED, BMS_FAULT, BMS_OK, GAP, CLOCK_WRONG, CLOCK_RIGHT),
    *(BUNDLE_FAILED, BUNDLE_HEALTHY, BUNDLE_STATE, REVOKED, QUOTA, ROW_CONFLICT, COMMAND_ANSWERED),
)
WATCHED: Final = (metrics.VERDICT, metrics.BMS_FAULT, metrics.DESIRED, metrics.STATE, metrics.ANSWERED)


class EventWatch:
    """What was last known of each node, so that a change is told once."""

    def __init__(self, known: Iterable[NodeRecord] = ()) -> None:
        self._known = {record.node: record for record in known}
        self._online = {record.node for record in self._known.values() if record.online}
        self._boots, self._wrong_clocks = dict[str, str](), set[str]()
        self._unsure = set[str]()  # online when the host lost its own connection
        self._up_ms: int | None = None  # since when the host is connected

    def find(self, batch: Batch, now_ms: int, *, is_connected: bool) -> list[NodeEvent]:
        """Return the events of a batch, in order; `is_connected` says whether the host is."""
        self._up_ms = (self._up_ms or now_ms) if is_connected else None
        found = list(self._find_reboots(batch, now_ms))
        cut = "its certificate was revoked and it was cut off"
        found += [NodeEvent(node, now_ms, REVOKED, WARNING, cut) for node in sorted(batch.revoked)]
        born = {birth.node for birth in batch.births}
        for record in batch.notes.values():
            if record.node in born and record.node not in self._online:  # it may have left again within this batch
                self._online.add(record.node)
                found.append(NodeEvent(record.node, now_ms, ONLINE, INFO, "the device is online", clears=(OFFLINE,)))
            before, self._known[record.node] = self._known.get(record.node), record
            if not record.online or record.node not in self._online or self._unsure:
                cut = record.node in batch.revoked
                cause = "its certificate was revoked" if cut else "the broker reported its death"
                found += self._compare_online(record, now_ms, cause, is_connected=is_connected)
            if before is not None and tells_the_same(before.status, record.status):
                continue
            if before is None or pick_watched(before) != pick_watched(record):
                found += compare_status(before, record, now_ms)
        found += self._read_rows(batch, now_ms)
        for node in batch.forgotten:
            self.forget(node)
        return found + list(self._find_lost(now_ms))

    def _find_reboots(self, batch: Batch, now_ms: int) -> Iterator[NodeEvent]:
        for birth in batch.births:
            if birth.newest is None:
                continue
            if self._boots.get(birth.node, birth.newest[0]) != birth.newest[0]:
                yield NodeEvent(birth.node, now_ms, REBOOT, INFO, "the device started again")
            self._boots[birth.node] = birth.newest[0]

    def _read_rows(self, batch: Batch, now_ms: int) -> Iterator[NodeEvent]:
        for row in batch.rows:
            if row.gap is not None:
                words = f"rows {row.gap.first} to {row.gap.last} of boot {row.gap.boot} were evicted"
                yield NodeEvent(row.node, now_ms, GAP, WARNING, words)
            if bool(row.clock) != (row.node in self._wrong_clocks):
                (self._wrong_clocks.add if row.clock else self._wrong_clocks.discard)(row.node)
                yield _make_clock_event(row.node, now_ms, row.clock)

    def forget(self, node: str) -> None:
        """Forget a node that is not this host's any more."""
        self._known.pop(node, None)
        self._boots.pop(node, None)
        for names in (self._online, self._unsure, self._wrong_clocks):
            names.discard(node)

    def _compare_online(
        self, record: NodeRecord, now_ms: int, cause: str, *, is_connected: bool
    ) -> Iterator[NodeEvent]:
        was_online = record.node in self._online
        if record.online:
            self._unsure.discard(record.node)
            if not was_online:
                self._online.add(record.node)
                yield NodeEvent(record.node, now_ms, ONLINE, INFO, "the device is online", clears=(OFFLINE,))
        elif was_online and not is_connected:
            self._unsure.add(record.node)  # the host lost its connection, which says nothing about the device
        elif was_online and record.node not in self._unsure:
            self._online.discard(record.node)
            yield _make_offline(record.node, now_ms, cause)

    def _find_lost(self, now_ms: int) -> Iterator[NodeEvent]:
        """Find nodes that did not come back after the host's own connection did."""
        if self._unsure and self._up_ms is not None and now_ms - self._up_ms >= GRACE_MS:
            for node in sorted(self._unsure):
                self._online.discard(node)
                yield _make_offline(node, now_ms, "it did not come back after the fleet's own outage")
            self._unsure.clear()


def pick_watched(record: NodeRecord) -> tuple[Scalar, ...]:
    """Return the values whose change is an event."""
    return tuple(map(record.status.get, WATCHED))


def compare_status(before: NodeRecord | None, after: NodeRecord, now_ms: int) -> Iterator[NodeEvent]:
    """Find what changed in the status that a node tells of itself."""
    old: Mapping[str, Scalar] = before.status if before else {}
    new, node = after.status, after.node
    verdict, reason = new.get(metrics.VERDICT), str(new.get(metrics.VERDICT_REASON) or "")
    if verdict != old.get(metrics.VERDICT):
        if verdict == TRIPPED:
            yield NodeEvent(node, now_ms, TRIPPED, CRITICAL, f"the gate tripped: {reason}", is_alarm=True)
        elif verdict == HELD:
            yield NodeEvent(node, now_ms, HELD, INFO, f"the gate holds: {reason}", clears=(TRIPPED,))
        elif verdict == ALLOWED and before is not None:
            yield NodeEvent(node, now_ms, ALLOWED, INFO, "the gate allows", clears=(TRIPPED,))
    fault = new.get(metrics.BMS_FAULT)
    if fault is not None and fault != (old.get(metrics.BMS_FAULT) or 0):
        if fault:
            yield NodeEvent(node, now_ms, BMS_FAULT, CRITICAL, f"the BMS reports fault {fault}", is_alarm=True)
        else:
            yield NodeEvent(node, now_ms, BMS_OK, INFO, "the BMS reports no fault", clears=(BMS_FAULT,))
    yield from _compare_bundle(before, after, now_ms)
    answered = new.get(metrics.ANSWERED)
    if answered and before is not None and answered != old.get(metrics.ANSWERED):
        words = f"command {answered} of request {new.get(metrics.ANSWERED_REQUEST) or '-'}: {new.get(metrics.ANSWER)}"
        yield NodeEvent(node, now_ms, COMMAND_ANSWERED, INFO, words)


def _compare_bundle(before: NodeRecord | None, after: NodeRecord, now_ms: int) -> Iterator[NodeEvent]:
    names = (metrics.DESIRED, metrics.STATE)
    old = tuple(before.status.get(name) for name in names) if before else (None, None)
    desired, state = new = tuple(after.status.get(name) for name in names)
    if new == old or not state:
        return
    words = f"bundle {str(desired or '')[:12]} {state}: {after.status.get(metrics.REASON) or ''}".rstrip(": ")
    if state in {"refused", "reverted"}:
        yield NodeEvent(after.node, now_ms, BUNDLE_FAILED, WARNING, words, is_alarm=True)
    elif state == "healthy":
        yield NodeEvent(after.node, now_ms, BUNDLE_HEALTHY, INFO, words, clears=(BUNDLE_FAILED,))
    else:
        yield NodeEvent(after.node, now_ms, BUNDLE_STATE, INFO, words)


def _make_offline(node: str, now_ms: int, words: str) -> NodeEvent:
    return NodeEvent(node, now_ms, OFFLINE, WARNING, words, is_alarm=True)


def _make_clock_event(node: str, now_ms: int, clock: str) -> NodeEvent:
    if clock:
        return NodeEvent(node, now_ms, CLOCK_WRONG, WARNING, f"a row is dated in the {clock}", is_alarm=True)
    return NodeEvent(node, now_ms, CLOCK_RIGHT, INFO, "the dates of the rows are possible", clears=(CLOCK_WRONG,))
