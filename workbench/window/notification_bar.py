"""Bars above the page during long work or after a failure: a sentence, progress, the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QPlainTextEdit, QProgressBar, QVBoxLayout, QWidget

from workbench.window.widgets import format as fmt
from workbench.window.widgets.basic import button, label
from workbench.window.widgets.dialogs import format_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.session.actions import Failure


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


class WorkBar(QFrame):
    """Shows the oldest action under way: what it does, progress, remaining time, and a cancel button."""

    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.work: LongWork | None = None
        self.sentence = label()
        self.remaining = label(tone="muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(4)
        self.bar.setFixedWidth(220)
        self.cancel = button("Cancel", self.stop, "link")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 16, 6)
        row.addWidget(self.sentence, 1)
        row.addWidget(self.remaining)
        row.addWidget(self.bar)
        row.addWidget(self.cancel)
        self.hide()

    def show_work(self, pending: Sequence[LongWork]) -> None:
        """Show the work under way; called after each change."""
        self.work = next((work for work in pending if not work.done), None)
        self.setVisible(self.work is not None)
        if self.work is None:
            return
        work = self.work
        text = " – ".join(filter(None, (work.title, work.sentence)))  # noqa: RUF001  # a dash between words
        if text != self.sentence.text():
            self.sentence.setText(text)
        self.remaining.setText("" if work.left_s is None else f"{fmt.age(work.left_s)} left")
        if work.fraction is None:
            self.bar.setRange(0, 0)
        else:
            self.bar.setRange(0, 1000)
            self.bar.setValue(round(work.fraction * 1000.0))
        self.cancel.setEnabled(work.cancel is not None)
        self.cancel.setToolTip(self.why_not())

    def why_not(self) -> str:
        """Return why there is nothing to cancel."""
        if self.work is None:
            return "No work is under way."
        return "" if self.work.cancel else "This step cannot be cancelled; OUTPUTS OFF always works."

    def stop(self) -> None:
        """Ask the work to end."""
        if self.work is not None and self.work.cancel is not None:
            self.work.cancel()
            self.cancelled.emit()


class Notices(QWidget):
    """The failure bar over the work bar, above the page."""

    def __init__(self) -> None:
        super().__init__()
        self.failure, self.work = FailureBar(), WorkBar()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.failure)
        column.addWidget(self.work)
