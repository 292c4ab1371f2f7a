"""The fleet as the live messages tell it: the same view that the host itself gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_bridge.fleet.bundle_transfer import TransferProgress
from edge_bridge.fleet.columns import COLUMNS
from edge_bridge.fleet.row import MAX_AHEAD_MS
from edge_bridge.fleet.store.records import Totals
from edge_bridge.fleet.view import FleetView, NodeView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.metrics import Scalar

_METRIC_OF = {column.name: column.metric for column in COLUMNS}


class _MirroredNode:
    """One node, changed in place."""

    __slots__ = ("last_ms", "online", "status")

    def __init__(self) -> None:
        self.online = True
        self.last_ms: int | None = None
        self.status = dict[str, "Scalar"]()


class FleetMirror:
    """Apply messages in their order; `make_view` returns what they say so far."""

    def __init__(self) -> None:
        self._nodes = dict[str, _MirroredNode]()
        self._columns: list[str] = []
        self._overview: Mapping[str, Any] | None = None
        self._gone = set[str]()  # nodes that the last overview did not have
        self._view: FleetView | None = None
        self.broker = ""

    @property
    def is_ready(self) -> bool:
        """Whether an overview has come: before it no total is known."""
        return self._overview is not None

    def apply(self, message: Mapping[str, Any], now_ms: int) -> None:
        """Apply one message of the server; `now_ms` bounds the time stamps of rows."""
        match message["type"]:
            case "hello":
                self.broker = str(message["broker"])
            case "subscribed":
                self._columns = [_METRIC_OF[name] for name in message["columns"] if name in _METRIC_OF]
            case "data":
                for row in message["rows"]:
                    self._apply_row(row, now_ms)
                for state in message["states"]:
                    self._apply_state(state)
            case "overview":
                self._apply_overview(message)
            case _:
                return
        self._view = None

    def make_view(self) -> FleetView:
        """Return the view; the same object while nothing changes."""
        if self._view is None:
            self._view = self._build()
        return self._view

    def _apply_row(self, row: list[Any], now_ms: int) -> None:
        name, _boot, _seq, t_ms, historical, values = row
        node = self._find(name)
        if t_ms <= now_ms + MAX_AHEAD_MS:  # else the clock of the pack is wrong
            node.last_ms = max(t_ms, node.last_ms or 0)
        if not historical:
            node.status.update(zip(self._columns, values, strict=True))

    def _apply_state(self, state: Mapping[str, Any]) -> None:
        node = self._find(state["node"])
        node.online = state["online"]
        node.status = dict(state["status"])
        if state["last_ms"] is not None:
            node.last_ms = max(state["last_ms"], node.last_ms or 0)

    def _apply_overview(self, overview: Mapping[str, Any]) -> None:
        self._overview = overview
        missing = self._nodes.keys() - overview["rows"].keys()
        for name in missing & self._gone:  # a new one may come before the overview that has it
            del self._nodes[name]
        self._gone = missing

    def _find(self, name: str) -> _MirroredNode:
        return self._nodes.setdefault(name, _MirroredNode())

    def _build(self) -> FleetView:
        overview = self._overview or {}
        rows, totals = overview.get("rows", {}), overview.get("totals", {})
        sending = {one["node"]: TransferProgress(**one) for one in overview.get("sending", [])}
        return FleetView(
            connected=overview.get("connected", False),
            trouble=overview.get("trouble", ""),
            outage_s=overview.get("outage_s", 0.0),
            nodes=tuple(
                NodeView(name, node.online, rows.get(name, 0), node.last_ms, dict(node.status), sending.get(name))
                for name, node in sorted(self._nodes.items())
            ),
            totals=Totals(totals.get("produced", 0), totals.get("stored", 0), totals.get("named", 0)),
            resent=overview.get("resent", 0),
            refused=overview.get("refused", {}),
            flagged=overview.get("flagged", {}),
        )
