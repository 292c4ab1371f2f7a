"""Dialog with the arming checklist: the state of each line, what was found, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, QTimer
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QWidget

from workbench.session.status import CheckState
from workbench.window.widgets import format as fmt
from workbench.window.widgets.basic import label, wrap_in_scroll_area
from workbench.window.widgets.dialogs import Dialog
from workbench.window.widgets.icons import icon

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.session.actions import PendingAction
    from workbench.session.status import ChecklistLine
    from workbench.window.widgets.themes import Theme

_ICONS: Final = {
    CheckState.WAITING: ("ring", "faint"),
    CheckState.WORKING: ("play", "blue"),
    CheckState.OK: ("ok", "green"),
    CheckState.FAILED: ("cross", "amber"),
    CheckState.SKIPPED: ("ring", "muted"),
}


class ChecklistDialog(Dialog):
    """Shown while the bench arms. Cancel asks the session to stop arming; Close hides the dialog after the end."""

    def __init__(self, parent: QWidget, theme: Theme) -> None:
        super().__init__(
            parent, "Arming", "The bench runs its checklist before the outputs can be switched on.", "Close"
        )
        self.setMinimumWidth(self.find_room(760, 0).width())
        self._theme = theme
        self.work: PendingAction | None = None
        self._shown: tuple[ChecklistLine, ...] = ()
        self._list = QWidget()
        self._rows = wrap_in_scroll_area(self._list)
        self.body.addWidget(self._rows)
        self._remaining = label(tone="muted")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(4)
        row = QHBoxLayout()
        row.addWidget(self._bar, 1)
        row.addWidget(self._remaining)
        self.body.addLayout(row)
        self.no.clicked.disconnect()
        self.no.clicked.connect(self._cancel)
        self.no.setAccessibleName("Cancel arming")

    def show_checks(self, checks: tuple[ChecklistLine, ...], work: PendingAction | None) -> None:
        """Show the state of all lines; called after each change."""
        self.work = work
        in_progress = work is not None and not work.done
        can_cancel = in_progress and work is not None and work.cancel is not None
        self.no.setEnabled(can_cancel)
        self.no.setToolTip(
            "" if can_cancel else "Arming has ended." if not in_progress else "This step cannot be cancelled."
        )
        self.yes.setEnabled(not in_progress)
        self.yes.setToolTip("Arming is in progress; cancel it first." if in_progress else "")
        self._bar.setVisible(in_progress)
        if work is not None and in_progress:
            self._bar.setRange(0, 0 if work.fraction is None else 1000)
            self._bar.setValue(round((work.fraction or 0.0) * 1000.0))
            self._remaining.setText("" if work.left_s is None else f"{fmt.age(work.left_s)} left")
        else:
            self._remaining.setText(_summarize(checks))
        if checks != self._shown:
            self._shown = checks
            self._build(checks)

    def _build(self, checks: Sequence[ChecklistLine]) -> None:
        fresh = QWidget()
        grid = QGridLayout(fresh)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(2, 1)
        for row, check in enumerate(checks):
            name, colour = _ICONS[check.state]
            mark = QLabel()
            mark.setPixmap(icon(name, self._theme.colour(colour)).pixmap(QSize(14, 14)))
            mark.setAccessibleName(check.state.value)
            found = check.finding
            if check.state is CheckState.FAILED and check.hint:
                found = f"{found}\n{check.hint}"
            tone = "amber" if check.state is CheckState.FAILED else "muted"
            parts = (mark, label(check.name), label(found, tone, wrap=True), label(check.state.value, "faint"))
            for column, part in enumerate(parts):
                grid.addWidget(part, row, column)
        self._list = fresh
        self._rows.setWidget(fresh)
        QTimer.singleShot(0, self, self._grow)

    def _grow(self) -> None:
        """Make the dialog as high as the findings need; where the window is less high, they scroll."""
        inside = self._list
        needed = max(inside.heightForWidth(self._rows.viewport().width()), inside.sizeHint().height())
        height = self.height() - self._rows.viewport().height() + needed
        self.resize(self.find_room(self.width(), max(self.height(), height)))

    def reject(self) -> None:
        """Close on Escape once arming is over; before that do nothing."""
        if self.work is None or self.work.done:
            super().reject()

    def _cancel(self) -> None:
        if self.work is not None and self.work.cancel is not None:
            self.work.cancel()


def _summarize(checks: Sequence[ChecklistLine]) -> str:
    failed = sum(check.state is CheckState.FAILED for check in checks)
    if failed:
        return f"{failed} of {len(checks)} failed; the bench is not armed."
    done = checks and all(check.state in (CheckState.OK, CheckState.SKIPPED) for check in checks)
    return "All checks passed." if done else ""
