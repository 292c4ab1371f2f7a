"""Progress of a bundle to a pack, step by step: desired, downloaded, verified, installed, healthy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from edge_bridge import metrics
from workbench.window.fleet_page.table_row import HASH_SHOWN
from workbench.window.widgets.basic import label
from workbench.window.widgets.icons import icon

if TYPE_CHECKING:
    from edge_bridge.fleet.view import NodeView
    from workbench.window.widgets.themes import Theme

STEPS: Final = ("desired", "downloaded", "verified", "installed", "healthy")
WAITING, HEALTHY, REFUSED, REVERTED, REPLACED = "waiting", "healthy", "refused", "reverted", "replaced"
DESIRED, RECEIVED = STEPS[0], "The pack has received all of it."
SENTENCES: Final = {
    "": "No bundle has been sent to this pack.",
    WAITING: "Waiting for the pack's answer.",
    DESIRED: "The bundle is being sent.",
    "downloaded": "The pack verifies it: signature, trust, expiry, serial, evidence, golden vectors.",
    "verified": "The bundle is verified; the pack writes it into the other slot.",
    "installed": "The bundle runs and must prove healthy; the one before is kept.",
    HEALTHY: "The bundle runs and has proved healthy.",
    REFUSED: "The pack refused it; nothing was installed.",
    REVERTED: "The bundle did not prove healthy; the one before runs again.",
    REPLACED: "Another bundle has replaced it.",
}
_DONE, _NOW, _LATER, _BAD = ("ok", "green"), ("play", "blue"), ("ring", "faint"), ("cross", "fail")


@dataclass(frozen=True, slots=True)
class UpdateProgress:
    """Progress of one bundle; `fraction` of its bytes that have arrived, None if unknown."""

    sha256: str
    state: str
    reason: str = ""
    fraction: float | None = None

    @property
    def sentence(self) -> str:
        """What happens now, or the result."""
        text = SENTENCES.get(self.state, f"The pack reports the unknown state {self.state!r}.")
        if self.state == DESIRED and self.fraction is not None and self.fraction >= 1.0:
            text = RECEIVED
        return f"{text} Reason: {self.reason.rstrip('.')}." if self.reason else text


def find_progress(node: NodeView) -> UpdateProgress:
    """Return the progress of this fleet's transfer, else what the pack reports of the last bundle sent."""
    sent = node.sending
    if sent is not None:
        return UpdateProgress(sent.sha256, sent.state, sent.reason, sent.received / sent.size if sent.size else None)
    status = node.status
    desired = str(status.get(metrics.DESIRED) or "")
    if not desired:
        return UpdateProgress("", "")
    return UpdateProgress(desired, str(status.get(metrics.STATE) or WAITING), str(status.get(metrics.REASON) or ""))


def symbols(way: UpdateProgress) -> tuple[tuple[str, str], ...]:
    """Return icon and colour of each of `STEPS`."""
    if way.state in ("", REPLACED):
        return (_LATER,) * len(STEPS)
    if way.state == REFUSED:
        done = 1 if way.fraction is not None and way.fraction < 1.0 else 2  # a complete file failed the verification
        return (_DONE,) * done + (_BAD,) + (_LATER,) * (len(STEPS) - done - 1)
    if way.state == REVERTED:
        return (*((_DONE,) * (len(STEPS) - 1)), _BAD)
    reached = STEPS.index(way.state) + 1 if way.state in STEPS else 0
    going = () if reached == len(STEPS) else (_NOW,)
    return ((_DONE,) * reached + going + (_LATER,) * len(STEPS))[: len(STEPS)]


class UpdateStepper(QWidget):
    """Five symbols with their words, a bar for the transfer, and a sentence."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._progress = UpdateProgress("", "")
        self.head = label(tone="muted")
        self.sentence = label(wrap=True)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.sentence.setMinimumHeight(52)  # three lines, so that the widgets below do not move
        self.percent = label("", "muted")
        self.percent.setFixedWidth(44)
        self.percent.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.bar.setFixedHeight(4)
        self.bar.setAccessibleName("Share of the bundle that has arrived")
        self.marks = [QLabel() for _ in STEPS]
        grid = QGridLayout()
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(2)
        for number, (mark, word) in enumerate(zip(self.marks, STEPS, strict=True)):
            grid.addWidget(mark, 0, number)
            grid.addWidget(label(word, "label"), 1, number)
            grid.setColumnStretch(number, 1)
        moved = QHBoxLayout()
        moved.setSpacing(8)
        moved.addWidget(self.bar, 1)
        moved.addWidget(self.percent)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 4, 16, 8)
        column.setSpacing(6)
        column.addWidget(self.head)
        column.addLayout(grid)
        column.addLayout(moved)
        column.addWidget(self.sentence)
        self._show()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._show()

    def show_progress(self, way: UpdateProgress) -> None:
        if way != self._progress:
            self._progress = way
            self._show()

    def _show(self) -> None:
        way = self._progress
        self.head.setText(f"Bundle {way.sha256[:HASH_SHOWN]}" if way.sha256 else "No bundle on its way")
        self.head.setToolTip(way.sha256)
        for mark, (symbol, colour) in zip(self.marks, symbols(way), strict=True):
            mark.setPixmap(icon(symbol, self._theme.colour(colour)).pixmap(QSize(14, 14)))
        known = way.fraction is not None and way.state not in ("", REPLACED)
        self.bar.setValue(round(1000 * (way.fraction or 0.0)) if known else 0)
        self.percent.setText(f"{100 * (way.fraction or 0.0):.0f} %" if known else "")
        self.sentence.setText(way.sentence)
        self.sentence.setStyleSheet(
            f"color: {self._theme.colour('amber').name()};" if way.state in (REFUSED, REVERTED) else ""
        )
        self.setAccessibleName(f"{way.state or 'no bundle'}: {way.sentence}")
