"""Docks with short lists: what the gate did, how near the limits are, which faults are injected."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from drivers.channel_names import BENCH_STATE, CELL_VOLTAGES, CELLS_MAX, GATE_VERDICT
from workbench.window.widgets import format as fmt
from workbench.window.widgets.basic import bench_button, button, label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.session.bench_info import LimitPair
    from workbench.session.status import InjectedFault
    from workbench.window.plots.channel_history import ChannelHistory

LAST_S: Final = 60.0
ARMED: Final = 2  # `bench/state` of the first state in which the gate's verdict counts
NEAREST: Final = 2
_RIGHT: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class GateDock(QWidget):
    """How many commands of the last minute were allowed, held, tripped; before arming there are none."""

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 0, 16, 8)
        grid.setVerticalSpacing(5)
        self.counts = [label(fmt.DASH) for _ in range(3)]
        for row, (word, count) in enumerate(zip(("allowed", "held", "tripped"), self.counts, strict=True)):
            grid.addWidget(label(word), row, 0)
            count.setAccessibleName(f"Gate {word}")
            grid.addWidget(count, row, 1, _RIGHT)
        grid.setRowStretch(3, 1)

    def show_values(self, store: ChannelHistory) -> None:
        if GATE_VERDICT not in store or BENCH_STATE not in store:
            return
        _, values = store.between([GATE_VERDICT, BENCH_STATE], store.newest_s - LAST_S, np.inf)
        counted = values[0][values[1] >= ARMED]
        for number, count in enumerate(self.counts):
            _set(count, fmt.count(int(np.count_nonzero(counted == number))) if len(counted) else fmt.DASH)


class LimitsDock(QWidget):
    """The channels that are closest to a bench limit, one of each kind."""

    def __init__(self) -> None:
        super().__init__()
        self._limits: tuple[LimitPair, ...] = ()
        self.rows: list[tuple[QLabel, QLabel, QLabel]] = []
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 0, 16, 8)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        for row in range(NEAREST):
            parts = (label(), label(), label(tone="muted"))
            grid.addWidget(parts[0], 2 * row, 0)
            grid.addWidget(parts[1], 2 * row, 1, _RIGHT)
            parts[2].setIndent(16)
            grid.addWidget(parts[2], 2 * row + 1, 0, 1, 2)
            self.rows.append(parts)
        grid.setRowStretch(2 * NEAREST, 1)

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        return QSize(200, NEAREST * 42 + 8)  # as if all rows were filled

    def show_limits(self, limits: Sequence[LimitPair]) -> None:
        self._limits = tuple(limits)

    def show_values(self, store: ChannelHistory) -> None:
        nearest: dict[str, tuple[float, LimitPair, float]] = {}
        for limit in self._limits:
            if limit.channel not in store:
                continue
            value = store.newest(limit.channel)
            used = math.nan if _is_irrelevant(limit, value, store) else used_share(limit, value)
            kind = "".join(char for char in limit.channel if not char.isdigit())
            if used == used and (kind not in nearest or used > nearest[kind][0]):  # noqa: PLR0124  # NaN
                nearest[kind] = (used, limit, value)
        best = sorted(nearest.values(), key=lambda found: -found[0])[:NEAREST]
        for number, parts in enumerate(self.rows):
            for part in parts:
                part.setVisible(number < len(best))
            if number < len(best):
                _, limit, value = best[number]
                self._fill(parts, limit, value)

    def show_nothing(self) -> None:
        """Show that no values are known."""
        for number, parts in enumerate(self.rows):
            for part, text in zip(parts, ("no values", fmt.DASH, ""), strict=True):
                part.setVisible(number == 0)
                _set(part, text)

    def _fill(self, parts: tuple[QLabel, QLabel, QLabel], limit: LimitPair, value: float) -> None:
        shown = fmt.find_display(limit.channel, limit.unit)
        for part, text in zip(
            parts, (limit.channel, shown.text(value), format_bound(limit, value, shown)), strict=True
        ):
            _set(part, text)


def format_bound(limit: LimitPair, value: float, shown: fmt.Display) -> str:
    """Return the bound that `value` is nearer to; for a flag, the words that the bench allows."""
    low, high = limit.bench
    if shown.words is not None:
        return "bench " + " or ".join(word for number, word in shown.words.items() if low <= number <= high)
    side = value - low > high - value
    device = "" if limit.device is None else f"device {shown.number(limit.device[side])} · "
    return f"{device}bench {shown.text(limit.bench[side])}"


def used_share(limit: LimitPair, value: float) -> float:
    """Return how far `value` is from the middle of the range to its edge: 1 at the limit."""
    low, high = limit.bench
    return abs(value - (low + high) / 2.0) / ((high - low) / 2.0)


def _is_irrelevant(limit: LimitPair, value: float, store: ChannelHistory) -> bool:
    """Whether to skip a limit: a flag is never near its limits, and cells with outputs off are rightly far below."""
    if limit.unit == "1":
        return limit.bench[0] <= value <= limit.bench[1]
    off = CELLS_MAX in store and math.isnan(store.newest(CELLS_MAX))
    return off and CELL_VOLTAGES.fullmatch(limit.channel) is not None


class FaultsDock(QWidget):
    """The injected faults, each with a button that clears it, and the button that injects one."""

    cleared = Signal(int)

    def __init__(self, inject: Callable[[], object]) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(16, 0, 16, 8)
        self._column.setSpacing(6)
        self.inject = button("Inject a fault…  Ctrl+I", inject)
        self.inject.setStyleSheet("text-align: left;")
        self._list = QVBoxLayout()
        self._column.addLayout(self._list)
        self._column.addWidget(self.inject)
        self._column.addStretch(1)
        self._shown: tuple[InjectedFault, ...] = ()
        self.rows: list[QWidget] = []

    def show_injected(self, injected: tuple[InjectedFault, ...]) -> None:
        if injected == self._shown:
            return
        self._shown = injected
        for row in self.rows:
            row.hide()
            row.deleteLater()
        self.rows = [self._row(fault) for fault in injected]
        for row in self.rows:
            self._list.addWidget(row)

    def _row(self, fault: InjectedFault) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(label(fault.sentence, "amber", wrap=True), 1)
        clear = bench_button("clear", partial(self.cleared.emit, fault.number), "link")
        clear.setAccessibleName(f"Clear {fault.sentence}")
        line.addWidget(clear)
        return row


def _set(part: QLabel, text: str) -> None:
    if part.text() != text:
        part.setText(text)
