"""Waiting functions for an unattended session: poll it, as a window's timer does, until a condition holds."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol, TypeVar

from drivers.clock import monotonic
from drivers.errors import BenchError, rebuild

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.session.actions import PendingAction

T = TypeVar("T")

POLL_S = 0.02
CONNECT_S, ARM_S = 60.0, 90.0  # a slow laptop at its first start, with other work; what hangs ends later but ends


class PollableSession(Protocol):
    """A session, or a window that polls its own."""

    def poll(self) -> object: ...


def wait_for(session: PollableSession, holds: Callable[[], bool], within_s: float) -> bool:
    """Poll until `holds()`; return False if that takes longer than `within_s`."""
    until_s = monotonic() + within_s
    while monotonic() < until_s:
        session.poll()
        if holds():
            return True
        time.sleep(POLL_S)
    return False


def finish(session: PollableSession, pending: PendingAction, within_s: float) -> None:
    """Wait until an action is done; raise its `PulseError` if it failed, `BenchError` if it took too long.

    An action that took too long is withdrawn and cancelled, so that it is not done later.
    """
    if not wait_for(session, lambda: pending.done, within_s):
        for give_up in (pending.withdraw, pending.cancel):
            if give_up is not None:
                give_up()
        raise BenchError(f"{pending.title} did not finish within {within_s:g} s", hint="run: python main.py doctor")
    if pending.error is not None:
        error_json = pending.error.error_json
        raise rebuild(dict(error_json)) if error_json else BenchError(pending.error.sentence, hint=pending.error.hint)


def beside(session: PollableSession, work: Callable[[], T]) -> T:
    """Run `work` in a thread while the session is polled; return its result, raise what it raises."""
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(work)
        while not answer.done():
            session.poll()
            time.sleep(POLL_S)
    return answer.result()


def idle(session: PollableSession, seconds: float) -> None:
    """Poll the session for some time."""
    wait_for(session, lambda: False, seconds)
