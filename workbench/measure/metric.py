"""A declared figure, a measured value of it, and the table of all of them."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from workbench.jitter import MEETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Op: TypeAlias = Literal["<", "<=", ">=", ">"]

UNEXPECTED: Final = "was met in docs/measured.md; compare the conditions, then the changes since then"
HEAD: Final = ("metric", "measured", "target", "met", "peer", "peer measured", "conditions", "reason")
_HOLDS: Final = {"<": operator.lt, "<=": operator.le, ">=": operator.ge, ">": operator.gt}
_WORDS: Final = {True: "yes", False: "**no**", None: "not judged"}
_READ: Final = {word: met for met, word in _WORDS.items()}
_DIGITS: Final = 3
_LEAST: Final = 1e-6
_COUNTS: Final = 1e9  # larger whole numbers are not counts


@dataclass(frozen=True)
class MeasuredMetric:
    """One figure: `value op target` in `unit` is required; `reason` is the known cause of a miss.

    `peer` names the peer that is measured in the same run; it is empty if the figure is a bound of its own.
    """

    name: str
    unit: str
    op: Op
    target: float
    peer: str = ""
    reason: str = UNEXPECTED

    def is_met(self, value: float) -> bool:
        """Return whether `value` meets the target; NaN does not."""
        return bool(_HOLDS[self.op](value, self.target))

    def make_row(
        self, value: float, peer_value: float | None = None, conditions: str = "", *, own: float = 0.0
    ) -> MeasureRow:
        """Return the row of one run; `own`: the part of the value in `unit` that the machine itself may cause."""
        return MeasureRow(self, float(value), None if peer_value is None else float(peer_value), conditions, own)

    @property
    def wanted(self) -> str:
        """Operator, target and unit as text."""
        return f"{self.op} {_format_number(self.target)} {self.unit}".rstrip()


@dataclass(frozen=True)
class MeasureRow:
    """One measured figure with the value of its peer and the conditions."""

    metric: MeasuredMetric
    value: float
    peer_value: float | None
    conditions: str
    own: float = 0.0

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None if the machine itself may explain the miss."""
        if self.metric.is_met(self.value):
            return True
        return None if self.metric.is_met(self.value - MEETS * self.own) else False

    @property
    def reason(self) -> str:
        """The reason why it is missed, or not judged; empty if it is met."""
        if self.is_met is None:
            return f"not judged: the machine itself takes {_format_number(self.own)} {self.metric.unit}"
        return "" if self.is_met else self.metric.reason

    def as_json(self) -> dict[str, Any]:
        """Return the row as scripts read it."""
        metric = self.metric
        return {
            "metric": metric.name,
            "value": self.value,
            "unit": metric.unit,
            "op": metric.op,
            "target": metric.target,
            "met": self.is_met,
            "peer": metric.peer,
            "peer_value": self.peer_value,
            "conditions": self.conditions,
            "reason": self.reason,
        }

    def format_line(self) -> str:
        """Return the row as a line that is printed during the measurement."""
        metric, word = self.metric, {True: "ok  ", False: "MISS", None: "N/A "}[self.is_met]
        line = (
            f"{word}  {metric.name}: {_format_number(self.value)} {metric.unit}".rstrip() + f" (target {metric.wanted})"
        )
        if self.peer_value is not None:
            line += f"; {metric.peer}: {_format_number(self.peer_value)} {metric.unit}".rstrip()
        return line if self.is_met else f"{line}; {self.reason}"


@dataclass(frozen=True)
class DocumentRow:
    """A row of the table in a document."""

    name: str
    measured: str
    wanted: str
    met: bool | None
    peer: str
    peer_measured: str
    conditions: str
    reason: str


def format_table(rows: Iterable[MeasureRow]) -> str:
    """Return the rows as a Markdown table that ends with a line end; `read_table` reads it."""
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    for row in rows:
        metric, peer = (
            row.metric,
            "" if row.peer_value is None else f"{_format_number(row.peer_value)} {row.metric.unit}",
        )
        measured = f"{_format_number(row.value)} {metric.unit}".rstrip()
        cells = (metric.name, measured, metric.wanted, _WORDS[row.is_met], metric.peer, peer.rstrip())
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in (*cells, row.conditions, row.reason)) + " |")
    return "\n".join(lines) + "\n"


def read_table(text: str) -> Iterator[DocumentRow]:
    """Yield each row of each of our tables in `text`."""
    inside = False
    for line in text.splitlines():
        cells = tuple(cell.strip() for cell in line.strip().strip("|").split("|")) if line.startswith("|") else ()
        if cells == HEAD:
            inside = True
        elif not cells:
            inside = False
        elif inside and len(cells) == len(HEAD) and not set(cells[0]) <= set("-"):
            name, measured, wanted, met, *others = cells
            yield DocumentRow(name, measured, wanted, _READ.get(met, False), *others)


def _format_number(value: float) -> str:
    """Return a number with three significant digits, never with an exponent; a whole number as it is."""
    if not math.isfinite(value):
        return "not measured"
    if value == round(value) and abs(value) < _COUNTS:
        return f"{value:.0f}"
    if abs(value) < _LEAST:
        return f"below {_LEAST:.6f}"
    places = _DIGITS - 1 - math.floor(math.log10(abs(value)))
    return f"{value:.{max(0, places)}f}"
