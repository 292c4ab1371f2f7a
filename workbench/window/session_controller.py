"""Connect the widgets to the session: the 30 Hz timer, the actions under way, and failures."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from control.state import BenchState
from workbench.session.actions import Action, Failure, PendingAction
from workbench.session.status import SessionStatus
from workbench.window.frame_pacing import FramePacer
from workbench.window.tasks.background import Background

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.session.session import Session

OPENING: Final = "The bench file is being read; open another one instead."
_SLOW: Final = 3  # frames between two `values_due`


class SessionController(QObject):
    """Holds the open session. Runs in the thread that paints, so that a hung window stops polling the session."""

    ticked = Signal()  # 30 times a second
    values_due = Signal()  # ten times a second
    changed = Signal()  # the session has a new status
    session_opened = Signal()  # a session was opened
    failed = Signal(Failure)
    work_changed = Signal()  # an action or task began, progressed or ended
    outputs_off_requested = Signal()  # the operator requested OUTPUTS OFF

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session: Session | None = None
        self.status = SessionStatus()
        self.pending: list[PendingAction] = []
        self._opening = PendingAction("Open", done=True)
        self.background = Background(self)
        self.background.failed.connect(self.failed)
        self.background.changed.connect(self.work_changed)
        self._frame = 0
        self.pace = FramePacer(0.0)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_timer)

    def open(self, session: Session) -> None:
        """Poll this session from now on."""
        self.session = session
        self.status = session.status
        self._opening = PendingAction(f"Open {Path(session.bench.file).name}", why_no_cancel=OPENING)
        self.pending.append(self._opening)
        self.pace = FramePacer(time.perf_counter())
        self._timer.start(0)
        self.session_opened.emit()
        self.changed.emit()

    def close(self) -> None:
        """Stop polling and close the session, which ends what it started."""
        self._timer.stop()
        if self.session is not None:
            self.session.close()
            self.session = None
            self.pending.clear()

    def _on_timer(self) -> None:
        """Run one tick and start the timer for the next; a repeating timer would lose every late frame."""
        began_s = time.perf_counter()
        try:
            self.tick()
        finally:
            now_s = time.perf_counter()
            self.pace.follow(began_s, now_s)
            if self.session is not None:
                self._timer.start(max(0, round((self.pace.due_s - now_s) * 1e3)))

    def tick(self) -> None:
        """Poll the session, then emit the signals on which widgets draw."""
        session = self.session
        if session is None:
            return
        session.poll()
        self._end_opening(session)
        if session.status is not self.status:
            self.status = session.status
            self.changed.emit()
        self._drop_finished()
        self.ticked.emit()
        self._frame += 1
        if self._frame % _SLOW == 0:
            self.values_due.emit()

    def _end_opening(self, session: Session) -> None:
        """End the work of opening once the bench file is read, or cannot be."""
        if session.bench.mode or session.bench_error is not None:
            self._opening.done = True

    def keep_alive(self) -> None:
        """Poll the session during long work, so that the guard sees that the window is alive."""
        if self.session is not None:
            self.session.poll()

    def _drop_finished(self) -> None:
        if not self.pending:
            return
        for done in [work for work in self.pending if work.done]:
            self.pending.remove(done)
            if done.error is not None:
                self.failed.emit(done.error)
        self.work_changed.emit()

    def can(self, action: Action) -> tuple[bool, str]:
        if self.session is None:
            return False, "The bench is being opened."
        return self.session.can(action)

    def request(self, action: Action, call: Callable[[Session], PendingAction]) -> PendingAction | None:
        """Start an action if it is allowed now; otherwise emit `failed` with the reason."""
        able, why = self.can(action)
        if self.session is None or not able:
            self.failed.emit(Failure(why))
            return None
        work = call(self.session)
        self.pending.append(work)
        self.work_changed.emit()
        return work

    # ---- the actions

    def connect_bench(self, *, take_over: bool = False) -> None:
        self.request(Action.CONNECT, lambda session: session.connect(take_over=take_over))

    def disconnect_bench(self) -> None:
        self.request(Action.DISCONNECT, lambda session: session.disconnect())

    def arm(self) -> None:
        self.request(Action.ARM, lambda session: session.arm())

    def disarm(self) -> None:
        self.request(Action.DISARM, lambda session: session.disarm())

    def start(self) -> None:
        self.request(Action.START, lambda session: session.start())

    def stop(self) -> None:
        self.request(Action.STOP, lambda session: session.stop())

    def outputs_off(self) -> None:
        """Switch the outputs off; always allowed. Without a session no output is on."""
        self.outputs_off_requested.emit()
        if self.session is not None:
            self.pending.append(self.session.outputs_off())
            self.work_changed.emit()

    def reset(self, reason: str) -> None:
        self.request(Action.RESET, lambda session: session.reset(reason))

    def activate(self, role: str, lane: str) -> None:
        self.request(Action.ACTIVATE, lambda session: session.activate(role, lane))

    def inject(self, fault: str, parameters: Mapping[str, float | str]) -> None:
        self.request(Action.INJECT, lambda session: session.inject(fault, parameters))

    def clear(self, number: int) -> None:
        self.request(Action.CLEAR, lambda session: session.clear(number))

    @property
    def connected(self) -> bool:
        return self.status.state is not BenchState.DISCONNECTED
