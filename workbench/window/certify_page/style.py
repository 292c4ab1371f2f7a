"""How verdicts and checks are written and drawn: a word, a symbol and a colour each; red is not used."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from drivers.timestamps import parse_utc
from workbench.certificates.results import Verdict
from workbench.window.widgets import format as fmt
from workbench.window.widgets.icons import RATIOS, paint_icon
from workbench.window.widgets.themes import THEMES, font

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.certificates.results import CaseCheck
    from workbench.certify.runner import CaseRun
    from workbench.window.widgets.themes import Theme

RUNNING: Final = "running"
_SIDE: Final = 16.0
_DRAWN: Final = {Verdict.PASS: "ok", Verdict.FAIL: "cross", Verdict.BLOCKED: "ring", RUNNING: "play"}
_WRITTEN: Final = {Verdict.ERROR: "!", Verdict.NA: fmt.DASH}  # every font has these
COLOURS: Final[dict[str, str]] = {
    Verdict.PASS: "green",
    Verdict.FAIL: "fail",
    Verdict.ERROR: "amber",
    Verdict.BLOCKED: "blue",
    Verdict.NA: "muted",
    RUNNING: "blue",
}
MEANING: Final = {
    Verdict.PASS: "Every value may lie within its limits, given its uncertainty.",
    Verdict.FAIL: "A value lies outside its limits with its whole uncertainty.",
    Verdict.ERROR: "The bench or the script failed; this says nothing about the device.",
    Verdict.BLOCKED: "A precondition did not hold, or the certification was stopped before.",
    Verdict.NA: "This bench or this device does not support the check.",
}
_MARKS: Final = {Qt.CheckState.Checked: "ok", Qt.CheckState.PartiallyChecked: "minus"}
_BOX: Final = QStyle.SubElement.SE_ItemViewItemCheckIndicator
_DECIMALS: Final = {"ms": 1, "V": 4, "mV": 1, "A": 2, "s": 3, "K": 2, "degC": 2, "Ohm": 4, "W": 1}
_UNITS: Final = {"1": "", "degC": "°C", "Ohm": "Ω"}


@lru_cache(maxsize=64)
def verdict_icon(word: str, theme_name: str) -> QIcon:
    """Return the symbol of a verdict, or of a running case, in its colour; a selected row does not dull it."""
    colour = THEMES[theme_name].colour(COLOURS[word])
    made = QIcon()
    for ratio in RATIOS:
        picture = QPixmap(QSize(round(_SIDE * ratio), round(_SIDE * ratio)))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        box = QRectF(0.0, 0.0, _SIDE, _SIDE)
        if (drawn := _DRAWN.get(word)) is not None:
            paint_icon(painter, drawn, box, colour)
        else:
            painter.setFont(font(bold=True))
            painter.setPen(colour)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, _WRITTEN[Verdict(word)])
        painter.end()
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
            made.addPixmap(picture, mode)
    return made


class FlatItemDelegate(QStyledItemDelegate):
    """Paints a selected row flat with the colours of its words (Fusion would draw it raised), and marks in boxes."""

    def initStyleOption(  # noqa: N802  # Qt's name
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().initStyleOption(option, index)
        made: Any = option  # its stub lacks the fields
        made.state &= ~QStyle.StateFlag.State_HasFocus  # the view has a frame, and one row alone can be selected
        colour = index.data(Qt.ItemDataRole.ForegroundRole)
        if colour is not None:
            palette = made.palette
            palette.setColor(QPalette.ColorRole.HighlightedText, colour)
            made.palette = palette

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().paint(painter, option, index)
        mark = _MARKS.get(index.data(Qt.ItemDataRole.CheckStateRole))
        if mark is None:
            return
        whole: Any = QStyleOptionViewItem(option)  # its stub lacks the fields
        self.initStyleOption(whole, index)
        box = whole.widget.style().subElementRect(_BOX, whole, whole.widget)
        role = QPalette.ColorRole.Base if mark == "ok" else QPalette.ColorRole.Link  # on the filled box, or in it
        paint_icon(painter, mark, QRectF(box).adjusted(1.0, 1.0, -1.0, -1.0), whole.palette.color(role))


def find_verdict_word(case: CaseRun) -> str:
    """Return the verdict of a case, or that it runs; empty before."""
    if case.verdict is not None:
        return case.verdict.value
    return RUNNING if case.begun else ""


def find_verdict_colour(word: str, theme: Theme) -> str:
    """Return the colour `#rrggbb` of a verdict's word."""
    return theme.colour(COLOURS[word]).name()


def unit(check: CaseCheck) -> str:
    """Return the unit as it is displayed; empty for a count."""
    return _UNITS.get(check.unit, check.unit)


def value(check: CaseCheck) -> str:
    """Return value and uncertainty with the fixed decimals of the unit; a dash if nothing was measured."""
    if check.value is None:
        return fmt.DASH
    if check.is_question:
        return "yes" if check.value else "no"
    text = figure(check.value, check.unit)
    return f"{text} ± {figure(check.uncertainty, check.unit)}" if check.uncertainty else text


def limits(check: CaseCheck) -> str:
    """Return the limits of a check as text."""
    low, high, of = check.lo, check.hi, check.unit
    if check.is_question:
        return "yes" if high is None else "no"
    if low is None:
        return fmt.DASH if high is None else f"≤ {figure(high, of)}"
    if high is None:
        return f"≥ {figure(low, of)}"
    return f"= {figure(low, of)}" if low == high else f"{figure(low, of)} … {figure(high, of)}"


def figure(number: float, of: str) -> str:
    """Return `number` with the decimals of unit `of`; counts have none."""
    if of == "1":
        return fmt.figure(number, 0 if float(number).is_integer() else 3)
    return fmt.figure(number, _DECIMALS.get(of, 3))


def format_counts(counts: Mapping[Verdict, int]) -> str:
    """Return the counts as text, such as `55 PASS, 2 FAIL`."""
    return ", ".join(f"{counts[word]} {word}" for word in Verdict if counts.get(word))


def find_worst_verdict(cases: Sequence[CaseRun]) -> str:
    """Return one word for several cases: the worst known verdict; running while one runs; empty before."""
    words = [find_verdict_word(case) for case in cases]
    for word in (RUNNING, Verdict.FAIL, Verdict.ERROR, Verdict.BLOCKED, Verdict.NA, Verdict.PASS):
        if word in words:
            return str(word)
    return ""


def format_time(made: str) -> str:
    """Return an ISO 8601 time of a certificate as local time; return it unchanged if it cannot be parsed."""
    try:
        return fmt.wall_date(parse_utc(made).timestamp())
    except ValueError:
        return made
