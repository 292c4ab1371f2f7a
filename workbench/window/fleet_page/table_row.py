"""A pack as a row of the table: words and numbers, grey if old, a dash if missing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_bridge import metrics
from workbench.window.widgets import format as fmt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.fleet.view import NodeView
    from edge_bridge.metrics import Scalar

STALE_S: Final = 5.0  # rows come ten times a second, or once when a pack saves its line
HASH_SHOWN: Final = 12
TRIPPED: Final = "tripped"  # a verdict of the gate
VERDICTS: Final = {"allowed": ("ok", "green"), "held": ("pause", "amber"), "tripped": ("warning", "alarm")}
CLASSES: Final = {"SIM": ("warning", "amber"), "HIL": ("dot", "text"), "PACK": ("ok", "green")}


@dataclass(frozen=True, slots=True)
class TableCell:
    """A text, grey or not, with a symbol that is never the only sign."""

    text: str
    grey: bool = False
    symbol: str = ""
    colour: str = ""
    tip: str = ""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column; `usual` is the widest text that is likely, so that nothing moves when numbers change."""

    head: str
    usual: str
    right: bool = False
    wide: bool = False  # takes the width that the others leave
    marked: bool = False  # has a symbol
    folds: bool = False  # gives way on a small screen


COLUMNS: Final = (
    TableColumn("Pack", "warehouse-0012"),
    TableColumn("State", "unknown", marked=True),
    TableColumn("Runs", "hil24 20261124182939", wide=True),
    TableColumn("Hash", "0123456789ab", folds=True),  # the tip of Runs has it too
    TableColumn("Class", "PACK", marked=True),
    TableColumn("Gate", "allowed", marked=True),
    TableColumn("Current", "−100.00 A", right=True),  # noqa: RUF001  # the minus that is shown
    TableColumn("Voltage", "100.00 V", right=True),
    TableColumn("SoC", "100.0 ±1.0 %", right=True),
    TableColumn("Cells", "3.300 … 3.300 V", right=True),
    TableColumn("Hottest", "Hottest", right=True),
    TableColumn("Rows", "100 000", right=True),
    TableColumn("Waiting", "Waiting", right=True),
    TableColumn("Newest", "100 min", right=True),
)


def age_s(node: NodeView, now_ms: float) -> float:
    """Return the age of the newest row by its own time stamp; NaN before the first."""
    return math.nan if node.last_ms is None else max(0.0, (now_ms - node.last_ms) / 1000.0)


def is_fresh(node: NodeView, now_ms: float) -> bool:
    """Whether the last report may be taken as the current state."""
    return node.online and age_s(node, now_ms) <= STALE_S


def is_tripped(node: NodeView) -> bool:
    """Whether the gate of the pack is tripped, as it was told last."""
    return node.status.get(metrics.VERDICT) == TRIPPED


def number(status: Mapping[str, Scalar], name: str) -> float:
    """Return a number of the status, NaN if unknown."""
    value = status.get(name)
    return float(value) if isinstance(value, int | float) else math.nan


def make_row(node: NodeView, now_ms: float) -> tuple[TableCell, ...]:
    """Return one cell for each of `COLUMNS`."""
    status, grey = node.status, not is_fresh(node, now_ms)
    old_s = age_s(node, now_ms)
    word = "offline" if node.is_known else "unknown"
    state = (
        TableCell("online", symbol="dot", colour="green")
        if node.online
        else TableCell(word, grey=True, symbol="ring", colour="muted")
    )
    measured = (
        fmt.AMPERE.text(number(status, metrics.CURRENT)),
        fmt.PACK_VOLT.text(number(status, metrics.VOLTAGE)),
        soc(status),
        between(number(status, metrics.CELL_MIN), number(status, metrics.CELL_MAX)),
        fmt.CELSIUS.text(number(status, metrics.TEMPERATURE)),
    )
    aged = f"{fmt.age(old_s)} old" if grey and math.isfinite(old_s) else ""
    reason = str(status.get(metrics.VERDICT_REASON) or "")
    return (
        TableCell(node.node),
        state,
        TableCell(runs(status), grey=not node.online, tip=f"{runs(status)}\n{node.bundle}".strip()),
        TableCell(node.bundle[:HASH_SHOWN] or fmt.DASH, grey=not node.online, tip=node.bundle),
        _marked(str(status.get(metrics.EVIDENCE) or ""), CLASSES, grey=not node.online),
        _marked(str(status.get(metrics.VERDICT) or ""), VERDICTS, grey=grey, tip=reason),
        *(TableCell(text, grey=grey, tip=aged) for text in measured),
        TableCell(fmt.count(node.rows), grey=not node.is_known),
        TableCell(_count(status.get(metrics.DEPTH)), grey=grey),
        TableCell(fmt.age(old_s), grey=grey),
    )


def runs(status: Mapping[str, Scalar]) -> str:
    """Return name and serial of the bundle that runs."""
    name, serial = status.get(metrics.NAME), status.get(metrics.SERIAL)
    return f"{name} {serial if serial is not None else ''}".strip() if name else fmt.DASH


def soc(status: Mapping[str, Scalar]) -> str:
    """Return the state of charge, such as `63.2 ±1.4 %`."""
    mean, std = number(status, metrics.SOC), number(status, metrics.SOC_STD)
    if not math.isfinite(mean) or not math.isfinite(std):
        return fmt.PERCENT.text(mean)
    return f"{fmt.PERCENT.number(mean)} ±{fmt.PERCENT.number(std)} %"


def health(status: Mapping[str, Scalar]) -> str:
    """Return the state of health, such as `SoH 87.3 ±1.2 %, lowest cell 84.0 %`; empty where it is not known."""
    mean, std, low = (number(status, name) for name in (metrics.SOH, metrics.SOH_STD, metrics.SOH_MIN))
    if not math.isfinite(mean):
        return ""
    whole = f"SoH {fmt.PERCENT.number(mean)} ±{fmt.PERCENT.number(std)} %"
    return f"{whole}, lowest cell {fmt.PERCENT.text(low)}"


def between(low_v: float, high_v: float) -> str:
    """Return a voltage range, such as `3.281 … 3.312 V`."""
    if not math.isfinite(low_v) and not math.isfinite(high_v):
        return fmt.DASH
    return f"{fmt.VOLT.number(low_v)} … {fmt.VOLT.text(high_v)}"


def _marked(word: str, known: Mapping[str, tuple[str, str]], *, grey: bool, tip: str = "") -> TableCell:
    if not word:
        return TableCell(fmt.DASH, grey=grey)
    symbol, colour = known.get(word, ("warning", "amber"))
    return TableCell(word, grey=grey, symbol=symbol, colour="muted" if grey else colour, tip=tip)


def _count(value: Scalar) -> str:
    return fmt.count(value) if isinstance(value, int) else fmt.DASH
