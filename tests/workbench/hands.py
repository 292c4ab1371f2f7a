"""What a person does: press keys, click, move the mouse, drop a signal, answer a dialog."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown
    from workbench.window.plots.plot import Plot

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier
LEFT = Qt.MouseButton.LeftButton
Kind = TypeVar("Kind", bound=QWidget)


def press(shown: Shown, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
    """Through the platform, as a keyboard would, so that shortcuts work."""
    shown.shell.activateWindow()
    assert QTest.qWaitForWindowActive(shown.shell, 2000)
    press_in(shown.shell, key, modifiers)


def press_in(window: QWidget, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
    """Through the platform, into a window that is in front."""
    handle = window.windowHandle()
    assert handle is not None
    QTest.keyClick(handle, key, modifiers)


def key(widget: QWidget, which: Qt.Key) -> None:
    """Into one widget."""
    QTest.keyClick(widget, which)


def write(widget: QWidget, text: str) -> None:
    QTest.keyClicks(widget, text)


def click(widget: QWidget, place: QPoint | None = None, modifiers: Qt.KeyboardModifier = NONE) -> None:
    """At `place`, else in the middle."""
    QTest.mouseClick(widget, LEFT, modifiers, widget.rect().center() if place is None else place)


def move(widget: QWidget, place: QPoint, held: Qt.MouseButton = Qt.MouseButton.NoButton) -> None:
    """The mouse to `place`, a button held or not."""
    point = QPointF(place)
    kind = QEvent.Type.MouseMove
    event = QMouseEvent(kind, point, widget.mapToGlobal(point), Qt.MouseButton.NoButton, held, NONE)
    QApplication.sendEvent(widget, event)


def drag(widget: QWidget, start: QPoint, end: QPoint) -> None:
    QTest.mousePress(widget, LEFT, NONE, start)
    move(widget, end, LEFT)
    QTest.mouseRelease(widget, LEFT, NONE, end)


def drop(shown: Shown, plot: Plot, *channels: str) -> None:
    """Signals from the tree onto a plot."""
    tree = shown.window.bench.tree
    tree.choose(channels[0])
    mime = tree.model.mimeData([tree.model.find(channel) for channel in channels])
    action = Qt.DropAction.CopyAction
    QApplication.sendEvent(plot, QDragEnterEvent(QPoint(60, 80), action, mime, LEFT, NONE))
    QApplication.sendEvent(plot, QDragMoveEvent(QPoint(60, 80), action, mime, LEFT, NONE))
    event = QDropEvent(QPointF(60, 80), action, mime, LEFT, NONE)
    QApplication.sendEvent(plot, event)
    assert event.isAccepted()


def draw(shown: Shown, qtbot: QtBot, frames: int = 9) -> None:
    """Let the window come round so often more; figures are looked at every third time, the machine's every second."""
    drawn: list[None] = []

    def note() -> None:
        drawn.append(None)

    shown.shell.controller.ticked.connect(note)
    qtbot.waitUntil(lambda: len(drawn) >= frames, timeout=60_000)
    shown.shell.controller.ticked.disconnect(note)


def in_front() -> bool:
    """Whether a dialog waits for an answer."""
    return QApplication.activeModalWidget() is not None


def front(kind: type[Kind]) -> Kind:
    """The dialog that waits for an answer."""
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, kind)
    return dialog


def pixel(plot: Plot, share: float) -> QPoint:
    """A point of the plot, `share` of the way from left to right."""
    area = plot.canvas.area
    place = QPoint(area.left() + round(share * area.width()), area.center().y())
    return plot.canvas.mapTo(plot, place)


def legend(plot: Plot) -> dict[str, str]:
    """Live values by label."""
    return {entry.label: entry.value for entry in plot.header.entries}


def nameless(page: QWidget) -> list[QWidget]:
    """What the keyboard reaches and nobody could call by a name."""
    return [
        widget
        for widget in page.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible()
        if not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
        if not widget.objectName().startswith("qt_")
    ]
