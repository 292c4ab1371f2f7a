"""The messages of the server as JSON text (docs/fleet-live.md)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import orjson

from edge_bridge.fleet.live.cursor import EventCursor
from edge_bridge.fleet.live.ring import ROW_COLUMNS
from edge_bridge.fleet.row_status import copy_status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.errors import PulseError
    from edge_bridge.fleet.live.live_access import VisibleDevices
    from edge_bridge.fleet.live.ring import RowEvent, StateEvent
    from edge_bridge.fleet.live.subscription import EventBatch, LiveSubscription
    from edge_bridge.fleet.store.records import NodeRecord
    from edge_bridge.fleet.view import FleetView

VERSION: Final = 1
ROW_FIELDS: Final = ("node", "boot", "seq", "t_ms", "historical", "values")
RESUME_HINT: Final = "read what is missing from the history, by time"


def encode(kind: str, **fields: Any) -> str:
    """Encode one message."""
    return orjson.dumps({"type": kind, **fields}).decode()


def encode_hello(cursor: EventCursor, broker: str, heartbeat_s: float) -> str:
    """Encode the first message: the form of all that follow."""
    return encode(
        "hello",
        version=VERSION,
        cursor=str(cursor),
        row_fields=ROW_FIELDS,
        columns=ROW_COLUMNS,
        heartbeat_s=heartbeat_s,
        broker=broker,
    )


def encode_error(error: PulseError, request: str = "") -> str:
    """Encode why a request was not done."""
    return encode(
        "error",
        id=request,
        code=error.code,
        what=error.what,
        key=error.key,
        value=error.value,
        bound=error.bound,
        hint=error.hint,
    )


def encode_batch(run: str, subscription: LiveSubscription, batch: EventBatch) -> str:
    """Encode the events of one subscription; `cursor` is the place behind them."""
    columns = subscription.columns
    return encode(
        "data",
        id=subscription.id,
        cursor=str(EventCursor(run, subscription.position)),
        rows=[prepare_row(event, columns) for event in batch.rows],
        states=[_encode_state(event) for event in batch.states],
        skipped=batch.skipped,
        slow=batch.is_slow,
    )


def encode_gap(run: str, subscription: str, missed: int | None, first: int | None, cursor: EventCursor) -> str:
    """Encode that events are gone: `missed` of all devices since `from`, None if a restart hides how many."""
    return encode(
        "gap",
        id=subscription,
        missed=missed,
        **{"from": None if first is None else str(EventCursor(run, first))},
        cursor=str(cursor),
        hint=RESUME_HINT,
    )


def encode_records(subscription: str, cursor: EventCursor, records: Sequence[NodeRecord]) -> str:
    """Encode the present state of devices, at the beginning of a subscription."""
    states = [
        {"node": one.node, "online": one.online, "last_ms": one.last_ms, "status": copy_status(one.status)}
        for one in records
    ]
    return encode("data", id=subscription, cursor=str(cursor), rows=[], states=states, skipped=0, slow=False)


def encode_overview(view: FleetView, visible: VisibleDevices | None = None) -> bytes:
    """Encode what is not of one device: broker, totals, counters, rows and bundle of each device.

    `visible` limits it to these devices; then it has no counters, which are those of the whole fleet.
    """
    totals = view.totals if visible is None else visible.totals
    nodes = [node for node in view.nodes if visible is None or node.node in visible.nodes]
    counters = {"resent": view.resent, "refused": dict(view.refused), "flagged": dict(view.flagged)}
    return orjson.dumps(
        {
            "type": "overview",
            "connected": view.connected,
            "trouble": view.trouble,
            "outage_s": view.outage_s,
            "totals": {"produced": totals.produced, "stored": totals.stored, "named": totals.named},
            **(counters if visible is None else {}),
            "rows": {node.node: node.rows for node in nodes},
            "sending": [asdict(node.sending) for node in nodes if node.sending is not None],
        }
    )


def prepare_row(event: RowEvent, columns: tuple[int, ...] | None) -> object:
    """Prepare a row to be encoded with its message; with all columns it is kept as text from the second client on."""
    if columns is not None:
        return event.pick(columns)
    if event.text is None:
        if not event.is_read:
            event.is_read = True
            return event.pick()
        event.text = _dump(event.pick())
    return orjson.Fragment(event.text)


def _dump(fields: object) -> bytes:
    """Encode what is kept; a copy, because orjson leaves 4 kB of memory to each text that it makes."""
    return bytes(memoryview(orjson.dumps(fields)))


def _encode_state(event: StateEvent) -> orjson.Fragment:
    if event.text is None:
        event.text = _dump(event.pick())
    return orjson.Fragment(event.text)
