"""The time limit of a case: it ends a script that waits for ever, and the process of one that cannot be ended."""

from __future__ import annotations

import _thread
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

DEFAULT_S: Final = 120.0  # a case of the shipped suite takes some 5 s
GRACE_S: Final = 20.0  # the time that a script has to end after its limit
ALARM: Final = getattr(signal, "SIGALRM", signal.SIGINT)  # Windows has no alarm


class CaseTimeout(BaseException):
    """A case took longer than its limit; no `except Exception` of a script catches it."""


def check_limit(limit_s: float) -> float:
    """Return `limit_s`; raise `ValueError` if it is no time."""
    if not 0.0 < limit_s <= threading.TIMEOUT_MAX / 2:
        raise ValueError(f"limit_s = {limit_s:g} is not a time in seconds above 0")
    return limit_s


@contextmanager
def limit_time(limit_s: float, give_up: Callable[[], None], grace_s: float = GRACE_S) -> Generator[None]:
    """Raise `CaseTimeout` in the block after `limit_s`; call `give_up` if it still runs `grace_s` later.

    Only the main thread can enter the block.
    """

    def end(_signal: int, _frame: object) -> NoReturn:
        raise CaseTimeout(f"the case took longer than its limit of {limit_s:g} s")

    before = signal.signal(ALARM, end)
    alarm = threading.Timer(limit_s, _interrupt_main)
    last = threading.Timer(limit_s + grace_s, give_up)
    alarm.daemon = last.daemon = True
    alarm.start()
    last.start()
    try:
        yield
    finally:
        last.cancel()
        alarm.cancel()
        try:
            last.join()
            alarm.join()  # it may be about to send; without the handler its signal would end the process
        finally:
            signal.signal(ALARM, before)


def _interrupt_main() -> None:
    """Run the handler in the main thread; the signal of the system also ends a call that waits in the kernel."""
    if hasattr(signal, "pthread_kill"):
        main = threading.main_thread().ident
        if main is not None:
            signal.pthread_kill(main, ALARM)
    else:
        _thread.interrupt_main(ALARM)
