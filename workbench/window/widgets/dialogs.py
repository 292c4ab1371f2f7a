"""Dialogs: a question, a reason, a fault with its parameters. None of them blocks OUTPUTS OFF."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from workbench.session.bench_info import ChoiceParameter, NumberParameter
from workbench.window.widgets import format as fmt
from workbench.window.widgets.basic import Combo, bench_button, button, label, pad_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.session.actions import Failure
    from workbench.session.bench_info import FaultSpec

OFF_KEYS = "Ctrl+."
_MARGIN = QSize(16, 16)
REASON_MISSING = "Enter a reason first; it is recorded."


class Dialog(QDialog):
    """A dialog with a title, a body and buttons; Ctrl+. switches the outputs off from here too."""

    outputs_off = Signal()

    def __init__(self, parent: QWidget | None, title: str, sentence: str, accept: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(440)
        off = QShortcut(QKeySequence(OFF_KEYS), self)
        off.activated.connect(self.outputs_off)
        self.body = QVBoxLayout()
        self.yes = button(accept, self.accept, "primary")
        self.no = button("Cancel", self.reject)
        self.yes.setDefault(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        column.addWidget(label(title, "title", wrap=True))
        if sentence:
            column.addWidget(label(sentence, "muted", wrap=True))
        column.addLayout(self.body)
        row = QHBoxLayout()
        self.off = bench_button(f"OUTPUTS OFF   {OFF_KEYS}", self.outputs_off.emit, "off")
        row.addWidget(self.off)  # a modal dialog blocks the button in the toolbar
        row.addStretch(1)
        row.addWidget(self.no)
        row.addWidget(self.yes)
        column.addLayout(row)

    def find_room(self, width: int, height: int) -> QSize:
        """Return this size, no larger than the window below, so that OUTPUTS OFF stays in sight."""
        below = self.parentWidget()
        return QSize(width, height) if below is None else QSize(width, height).boundedTo(below.size() - _MARGIN)


class QuestionDialog(Dialog):
    """Asks for confirmation of an important action.

    Space, which pauses the view, declines. Enter accepts nothing either: a question may open while somebody types.
    """

    def __init__(self, parent: QWidget | None, title: str, sentence: str, accept: str) -> None:
        super().__init__(parent, title, sentence, accept)
        self.yes.setDefault(False)
        self.no.setFocus()


class ReasonDialog(Dialog):
    """Asks for a reason; refuses an empty one."""

    def __init__(self, parent: QWidget | None, title: str, sentence: str, accept: str) -> None:
        super().__init__(parent, title, sentence, accept)
        self.text = QLineEdit()
        self.text.setPlaceholderText("What you found, and why it is safe to continue")
        self.text.setAccessibleName("Reason")
        self.text.textChanged.connect(self._update_accept)
        self.body.addWidget(self.text)
        self._update_accept("")
        self.text.setFocus()

    def _update_accept(self, text: str) -> None:
        has_reason = bool(text.strip())
        self.yes.setEnabled(has_reason)
        self.yes.setToolTip("" if has_reason else REASON_MISSING)

    @property
    def reason(self) -> str:
        return self.text.text().strip()


class InjectDialog(Dialog):
    """Chooses a fault and its parameters, within their bounds."""

    def __init__(self, parent: QWidget | None, faults: Sequence[FaultSpec]) -> None:
        super().__init__(parent, "Inject a fault", "", "Inject")
        self._faults = list(faults)
        self.kind = Combo()
        self.kind.setAccessibleName("Fault")
        for fault in self._faults:
            self.kind.addItem(fault.label)
        self._where = label("", "muted", wrap=True)
        self.body.addWidget(self.kind)
        self.body.addWidget(self._where)
        self.fields: dict[str, tuple[QDoubleSpinBox | QComboBox, NumberParameter | ChoiceParameter]] = {}
        self._form = QWidget()
        self.body.addWidget(self._form)
        self.kind.currentIndexChanged.connect(self._show)
        self._show(0)

    @property
    def fault(self) -> FaultSpec:
        return self._faults[self.kind.currentIndex()]

    def _show(self, number: int) -> None:
        fault = self._faults[number]
        self._where.setText(fault.where)
        fresh = QWidget()
        form = QFormLayout(fresh)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(16)
        self.fields = {}
        for parameter in fault.parameters:
            field = _choice(parameter) if isinstance(parameter, ChoiceParameter) else _number(parameter)
            field.setAccessibleName(parameter.label)
            bounds = "" if isinstance(parameter, ChoiceParameter) else f" ({_bounds(parameter)})"
            caption = label(f"{parameter.label}{bounds}")
            caption.setMinimumHeight(field.sizeHint().height())  # on a line with the figures
            form.addRow(caption, field)
            self.fields[parameter.name] = (field, parameter)
        self.body.replaceWidget(self._form, fresh)
        self._form.hide()
        self._form.deleteLater()
        self._form = fresh

    @property
    def values(self) -> dict[str, float | str]:
        """Parameters in SI."""
        made: dict[str, float | str] = {}
        for name, (field, parameter) in self.fields.items():
            if isinstance(field, QComboBox):
                made[name] = field.currentText()
            elif isinstance(parameter, NumberParameter):
                shown = _display(parameter)
                made[name] = (field.value() - shown.offset) / shown.scale
        return made


def _choice(choice: ChoiceParameter) -> QComboBox:
    field = Combo()
    field.addItems(list(choice.options))
    return field


def _number(parameter: NumberParameter) -> QDoubleSpinBox:
    shown = _display(parameter)
    field = QDoubleSpinBox()
    pad_text(field)
    field.setDecimals(0 if parameter.whole else max(shown.decimals, 1))
    field.setRange(shown.shown(parameter.low), shown.shown(parameter.high))
    field.setValue(shown.shown(parameter.default))
    if shown.unit:
        field.setSuffix(f" {shown.unit}")
    field.setToolTip(_bounds(parameter))
    return field


def _display(parameter: NumberParameter) -> fmt.Display:
    return fmt.COUNT if parameter.whole else fmt.find_display(f"/{parameter.name}", parameter.unit)


def _bounds(parameter: NumberParameter) -> str:
    shown = _display(parameter)
    return f"{shown.number(parameter.low)} to {shown.text(parameter.high)}"


class DetailsDialog(Dialog):
    """An event or a failure in full, to read and to copy."""

    def __init__(self, parent: QWidget | None, failure: Failure) -> None:
        super().__init__(parent, failure.sentence, failure.hint, "Copy")
        text = QPlainTextEdit(failure.details or failure.sentence)
        text.setReadOnly(True)
        text.setAccessibleName("Details")
        self.body.addWidget(text)
        self.no.setText("Close")
        self.accepted.connect(lambda: QApplication.clipboard().setText(format_failure(failure)))


def format_failure(failure: Failure) -> str:
    """Return all text of a failure, for the clipboard."""
    return "\n".join(filter(None, (failure.sentence, failure.hint, failure.details)))
