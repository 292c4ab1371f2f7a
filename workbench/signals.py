"""Ctrl-C and SIGTERM: the client leaves in order; its child processes follow the client, not the terminal."""

from __future__ import annotations

import signal
from types import FrameType  # noqa: TC003  # the handler's signature names it
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_ENDING: Final = (signal.SIGINT, signal.SIGTERM)
_HANG_UP: Final = [signal.SIGHUP] if hasattr(signal, "SIGHUP") else []
_TERMINAL: Final = [getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)]


class Interrupt:
    """Whether this process has received a Ctrl-C or SIGTERM."""

    received = False


def hold_interrupts() -> None:
    """Keep a Ctrl-C or SIGTERM for `leave_once`: an import that it breaks cannot be reported or repeated."""

    def keep(number: int, frame: FrameType | None) -> None:
        del number, frame
        Interrupt.received = True

    for ending in _ENDING:
        signal.signal(ending, keep)


def leave_once(leave: Callable[[], None] | None = None) -> None:
    """Call `leave`, or raise `KeyboardInterrupt`, on the first Ctrl-C or SIGTERM; later ones wait for the safe end.

    Raise `KeyboardInterrupt` at once if `hold_interrupts` has kept one: nothing is started then.
    """

    def first(number: int, frame: FrameType | None) -> None:
        del number, frame
        hung_up = [one for one in _HANG_UP if signal.getsignal(one) is first]
        for ending in (*_ENDING, *hung_up):
            signal.signal(ending, signal.SIG_IGN)
        Interrupt.received = True
        if leave is None:
            raise KeyboardInterrupt
        leave()

    raise_interrupt()
    for ending in _ENDING:
        signal.signal(ending, first)


def leave_with_terminal() -> None:
    """Let a terminal that is closed end this process as SIGTERM does, unless it was told to stay (nohup).

    Call it after `leave_once`, in a verb whose children would go on otherwise.
    """
    for hung_up in _HANG_UP:
        if signal.getsignal(hung_up) is not signal.SIG_IGN:
            signal.signal(hung_up, signal.getsignal(signal.SIGTERM))


def raise_interrupt() -> None:
    """Raise `KeyboardInterrupt` if a signal was received: the library that it broke into may have suppressed it."""
    if Interrupt.received:
        raise KeyboardInterrupt


def outlive_terminal(on_term: Callable[[], None] | None = None) -> None:
    """Ignore the signals that a terminal sends to all its processes; SIGTERM calls `on_term`, or is ignored too."""
    for hung_up in _TERMINAL:
        signal.signal(hung_up, signal.SIG_IGN)

    def term(number: int, frame: FrameType | None) -> None:
        del number, frame
        if on_term is not None:
            on_term()

    signal.signal(signal.SIGTERM, term)
