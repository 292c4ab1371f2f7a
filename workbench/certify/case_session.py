"""The session on which all cases run: poll it with the ring, arm it, run one act of a case."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from control.state import BenchState
from drivers.clock import monotonic
from drivers.errors import BenchError, Interrupted
from workbench.certify.observations import ActTimes
from workbench.certify.tick_observer import TickObserver
from workbench.session import waiting

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.session.live_session import LiveSession

ACT_S, RESET_S = 5.0, 10.0
POLL_S: Final = 0.008  # between two polls; times come from the ring, not from the time of the poll
SETTLED_S: Final = 0.15


class CaseSession:
    """The session and its ring during the cases; waiting ends when `stop_file` exists."""

    def __init__(self, session: LiveSession, stop_file: Path) -> None:
        self._session, self._stop_file = session, stop_file
        self.last_observer: TickObserver | None = None  # also after its ring has gone
        self._has_begun = False

    @property
    def observer(self) -> TickObserver:
        """The observer of the ring; a new one for each ring. Raise `BenchError` if no bench is connected."""
        ring = self._session.ring
        if ring is None:
            raise BenchError("the bench is not connected", hint="run: python main.py doctor")
        if self.last_observer is None or self.last_observer.ring is not ring:
            self.last_observer = TickObserver(ring)
        return self.last_observer

    def until(self, holds: Callable[[], bool], within_s: float) -> bool:
        """Poll session and ring until `holds()`; return False when it does not hold in time.

        Raise `Interrupted` when stopped, `BenchError` when the bench tripped or the engine ended.
        """
        until_s = monotonic() + within_s
        while True:
            self._session.poll()
            if self.last_observer is not None:
                self.last_observer.read_new()
            if holds():
                return True
            self._check()
            if monotonic() > until_s:
                return False
            time.sleep(POLL_S)

    def act(self, verb: str, **arguments: Any) -> ActTimes:
        """Do one act through the session and read the ring meanwhile."""
        session = self._session
        pending = session.script(verb, **arguments)
        if not self.until(lambda: pending.done, ACT_S):
            raise BenchError(f"{pending.title} did not finish within {ACT_S:g} s", hint="run: python main.py doctor")
        waiting.finish(session, pending, ACT_S)
        return ActTimes.of(pending.payload)

    def ensure_armed(self) -> None:
        """Bring the bench to armed from whatever state; reset a trip, whose case has been judged."""
        session = self._session
        session.poll()
        if session.status.state is BenchState.TRIPPED:
            waiting.finish(session, session.reset("certification: the previous case is finished"), RESET_S)
            self._has_begun = False
            self.wait_until_settled()
        if session.status.state is BenchState.DISCONNECTED:
            waiting.finish(session, session.connect(), waiting.CONNECT_S)
            self._wait_for_state(BenchState.CONNECTED)
        if session.status.state is BenchState.CONNECTED:
            waiting.finish(session, session.arm(), waiting.ARM_S)
            self._wait_for_state(BenchState.ARMED)
        if not self._has_begun:
            waiting.finish(session, session.script("begin"), ACT_S)
            self._has_begun = True

    def try_to_arm(self) -> None:
        """Arm, and wait until that has succeeded or failed."""
        pending = self._session.arm()
        self.until(lambda: pending.done, waiting.ARM_S)

    def disarm(self) -> None:
        """Turn everything off; the instruments stay connected."""
        session = self._session
        session.poll()
        if session.status.state is BenchState.ARMED:
            waiting.finish(session, session.disarm(), RESET_S)
            self._wait_for_state(BenchState.CONNECTED)
        self._has_begun = False

    def inject(self, fault: str, **parameters: float | str) -> int:
        """Inject a fault; return its number."""
        pending = self._session.inject(fault, parameters)
        waiting.finish(self._session, pending, ACT_S)
        return int(pending.payload["number"])

    def clear(self, fault_number: int) -> None:
        """Clear an injected fault."""
        waiting.finish(self._session, self._session.clear(fault_number), ACT_S)

    def wait_until_settled(self) -> None:
        waiting.idle(self._session, SETTLED_S)

    def _check(self) -> None:
        if self._stop_file.exists():
            raise Interrupted("stopped by its operator")
        status = self._session.status
        if status.state is BenchState.TRIPPED:
            raise BenchError(
                f"the bench tripped: {status.trip_reason}", hint="a case must stay within the bench limits"
            )
        if status.state is BenchState.DISCONNECTED and self._has_begun:
            raise BenchError("the engine has ended", hint="the guard has made the bench safe; certify again")

    def _wait_for_state(self, state: BenchState) -> None:
        """Wait for the status with this state; it comes right after the response."""
        waiting.wait_for(self._session, lambda: self._session.status.state is state, ACT_S)
