"""Bars over the bottom of the page during long work or after a failure: a sentence, progress, the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from drivers.clock import monotonic
from workbench.window.widgets import format as fmt
from workbench.window.widgets.basic import button, label
from workbench.window.widgets.dialogs import format_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.session.actions import Failure


NO_CANCEL: Final = "This step cannot be cancelled; OUTPUTS OFF always works."
MOST_ROWS: Final = 3
_MOVE_MS: Final = 50
_CROSS_S: Final = 1.5  # for the moving piece of a bar to cross it
_TIME_MS: Final = 500
_EARLY: Final = 0.05  # fraction before which the remaining time cannot be estimated
_SHORT_S: Final = 1.0
_PLACING: Final = (
    QEvent.Type.Resize,
    QEvent.Type.Move,
    QEvent.Type.ShowToParent,
    QEvent.Type.HideToParent,
    QEvent.Type.LayoutRequest,
)


class FailureBar(QFrame):
    """A sentence with the next step; details fold out and can be copied."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: Failure | None = None
        self.sentence = label(wrap=True)
        self.hint = label(tone="muted", wrap=True)
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setFixedHeight(64)
        self.details.setAccessibleName("Details")
        self.fold = button("Details", self._fold, "link")
        self.copy = button("Copy", self.copy_all, "link")
        self.dismiss = button("Close", self.hide, "link")
        row = QHBoxLayout()
        row.addWidget(label("▲ ", "amber"))
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(self.sentence)
        text.addWidget(self.hint)
        row.addLayout(text, 1)
        for part in (self.fold, self.copy, self.dismiss):
            row.addWidget(part, alignment=Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 16, 8)
        column.addLayout(row)
        column.addWidget(self.details)
        self.hide()

    def show_failure(self, failure: Failure) -> None:
        self.failure = failure
        self.sentence.setText(failure.sentence)
        self.hint.setText(failure.hint)
        self.hint.setVisible(bool(failure.hint))
        self.details.setPlainText(failure.details)
        self.details.hide()
        self.fold.setVisible(bool(failure.details))
        self.setAccessibleName(failure.sentence)
        self.show()

    def _fold(self) -> None:
        self.details.setVisible(not self.details.isVisible())

    def why_not(self) -> str:
        """Return why there is nothing to close or to copy."""
        return "No message is shown." if self.isHidden() else ""

    def copy_all(self) -> None:
        """Copy sentence, next step and details to the clipboard."""
        if self.failure is not None:
            QApplication.clipboard().setText(format_failure(self.failure))


class LongWork(Protocol):
    """Work under way: an action of the session or a task of the window."""

    @property
    def title(self) -> str: ...

    @property
    def sentence(self) -> str: ...

    @property
    def done(self) -> bool: ...

    @property
    def fraction(self) -> float | None: ...

    @property
    def left_s(self) -> float | None: ...

    @property
    def cancel(self) -> Callable[[], None] | None: ...

    @property
    def why_no_cancel(self) -> str:
        """Why `cancel` is None, as a sentence; empty if nothing is known."""
        ...


class WorkProgress(QProgressBar):
    """A thin bar; while the fraction is unknown a piece of it moves, so that work and a hang look different."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextVisible(False)
        self.setFixedSize(220, 4)
        self.setAccessibleName("Progress")
        self._timer = QTimer(self)
        self._timer.setInterval(_MOVE_MS)
        self._timer.timeout.connect(self.update)

    def show_fraction(self, fraction: float | None) -> None:
        """Show the fraction done, from 0 to 1, or that it is unknown."""
        self.setRange(0, 0 if fraction is None else 1000)
        if fraction is not None:
            self.setValue(round(fraction * 1000.0))
        if (fraction is None) != self._timer.isActive():
            self._timer.start() if fraction is None else self._timer.stop()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        if self.maximum():
            super().paintEvent(event)
            return
        painter, width = QPainter(self), self.width() / 4.0
        painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Mid))
        left = (monotonic() / _CROSS_S % 1.0) * (self.width() + width) - width
        painter.fillRect(QRectF(left, 0.0, width, self.height()), self.palette().color(QPalette.ColorRole.Highlight))
        painter.end()


class WorkRow(QWidget):
    """One piece of work: what it does, progress, remaining time, and a cancel button or why there is none."""

    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.work: LongWork | None = None
        self._since_s = 0.0
        self.sentence = label()
        self.remaining = label(tone="muted")
        self.bar = WorkProgress()
        self.cancel = button("Cancel", self.stop, "link")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 4, 16, 4)
        row.addWidget(self.sentence, 1)
        row.addWidget(self.remaining)
        row.addWidget(self.bar)
        row.addWidget(self.cancel)

    def show_work(self, work: LongWork | None) -> None:
        """Show this work, or nothing."""
        if work is not self.work:
            self.work, self._since_s = work, monotonic()
        self.setVisible(work is not None)
        if work is None:
            return
        text = " – ".join(filter(None, (work.title, work.sentence)))  # noqa: RUF001  # a dash between words
        if text != self.sentence.text():
            self.sentence.setText(text)
        self.remaining.setText(self._find_remaining(work))
        self.bar.show_fraction(work.fraction)
        self.cancel.setEnabled(work.cancel is not None)
        self.cancel.setToolTip(self.why_not())

    def _find_remaining(self, work: LongWork) -> str:
        """Return the remaining time as words, estimated at the pace so far if unknown; else since when it runs."""
        passed_s, left_s = monotonic() - self._since_s, work.left_s
        if left_s is None and work.fraction is not None and work.fraction >= _EARLY and passed_s >= _SHORT_S:
            left_s = passed_s * (1.0 - work.fraction) / work.fraction
        if left_s is not None:
            return f"{fmt.age(left_s)} left"
        return f"for {fmt.age(passed_s)}" if passed_s >= _SHORT_S else ""

    def why_not(self) -> str:
        """Return why there is nothing to cancel."""
        if self.work is None:
            return "Nothing is under way."
        return "" if self.work.cancel else self.work.why_no_cancel or NO_CANCEL

    def stop(self) -> None:
        """Ask the work to end."""
        if self.work is not None and self.work.cancel is not None:
            self.work.cancel()
            self.cancelled.emit()


class WorkBar(QFrame):
    """One row for each piece of work under way, oldest first; beyond `MOST_ROWS` it tells how many there are."""

    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.rows = [WorkRow() for _ in range(MOST_ROWS)]
        self.more = label(tone="muted")
        self.more.setContentsMargins(16, 0, 16, 4)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 2)
        column.setSpacing(0)
        for row in self.rows:
            row.cancelled.connect(self.cancelled)
            column.addWidget(row)
        column.addWidget(self.more)
        self._timer = QTimer(self)  # the time that passes, between two changes
        self._timer.setInterval(_TIME_MS)
        self._timer.timeout.connect(self._update)
        self._works: list[LongWork] = []
        self.hide()

    def show_work(self, pending: Sequence[LongWork]) -> None:
        """Show the work under way; called after each change."""
        self._works = [work for work in pending if not work.done]
        self._update()

    def _update(self) -> None:
        works = self._works
        for number, row in enumerate(self.rows):
            row.show_work(works[number] if number < len(works) else None)
        beyond = len(works) - len(self.rows)
        self.more.setText(f"and {beyond} more" if beyond > 0 else "")
        self.more.setVisible(beyond > 0)
        self.setVisible(bool(works))
        if bool(works) != self._timer.isActive():
            self._timer.start() if works else self._timer.stop()

    # ---- the oldest work, which the commands act on

    @property
    def work(self) -> LongWork | None:
        return self.rows[0].work

    @property
    def sentence(self) -> QLabel:
        return self.rows[0].sentence

    @property
    def remaining(self) -> QLabel:
        return self.rows[0].remaining

    @property
    def bar(self) -> QProgressBar:
        return self.rows[0].bar

    @property
    def cancel(self) -> QPushButton:
        return self.rows[0].cancel

    def why_not(self) -> str:
        """Return why there is nothing to cancel."""
        first = self._find_cancellable()
        return self.rows[0].why_not() if first is None else first.why_not()

    def stop(self) -> None:
        """Ask the oldest work that can be cancelled to end."""
        if (first := self._find_cancellable()) is not None:
            first.stop()

    def _find_cancellable(self) -> WorkRow | None:
        return next((row for row in self.rows if row.work is not None and row.work.cancel is not None), None)


class Notices(QFrame):
    """The failure bar over the work bar. They lie over the bottom of `page` and move nothing."""

    def __init__(self, page: QWidget) -> None:
        super().__init__(page.parentWidget())
        self._page = page
        self._column = QVBoxLayout(self)
        self.failure, self.work = FailureBar(), WorkBar()
        self.setObjectName("notices")
        self.setAutoFillBackground(True)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        for part in (self.failure, self.work):
            self._column.addWidget(part)
        for watched in (page, self.failure, self.work):
            watched.installEventFilter(self)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's name
        if event.type() in _PLACING:
            self._place()
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.Mid))
        painter.drawLine(0, 0, self.width(), 0)  # what lies below it ends here
        painter.end()

    def _place(self) -> None:
        """Lie at the bottom of the page, as high as needed, above every other widget."""
        shown = not (self.failure.isHidden() and self.work.isHidden())
        self.setVisible(shown)
        if not shown:
            return
        page, column = self._page, self._column
        corner = self.mapToParent(self.mapFromGlobal(page.mapToGlobal(QPoint(0, 0))))
        needed = column.totalHeightForWidth(page.width()) if column.hasHeightForWidth() else column.sizeHint().height()
        height = min(needed, page.height())
        self.setGeometry(corner.x(), corner.y() + page.height() - height, page.width(), height)
        self.raise_()
