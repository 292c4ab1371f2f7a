"""Ctrl-C and SIGTERM: the client leaves in order; its child processes follow the client, not the terminal."""

from __future__ import annotations

import signal
from types import FrameType  # noqa: TC003  # the handler's signature names it
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_ENDING: Final = (signal.SIGINT, signal.SIGTERM)
_TERMINAL: Final = [getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)]


def leave_once(leave: Callable[[], None] | None = None) -> None:
    """Call `leave`, or raise `KeyboardInterrupt`, on the first Ctrl-C or SIGTERM; later ones wait for the safe end."""

    def first(number: int, frame: FrameType | None) -> None:
        del number, frame
        for ending in _ENDING:
            signal.signal(ending, signal.SIG_IGN)
        if leave is None:
            raise KeyboardInterrupt
        leave()

    for ending in _ENDING:
        signal.signal(ending, first)


def outlive_terminal(on_term: Callable[[], None] | None = None) -> None:
    """Ignore the signals that a terminal sends to all its processes; SIGTERM calls `on_term`, or is ignored too."""
    for hung_up in _TERMINAL:
        signal.signal(hung_up, signal.SIG_IGN)

    def term(number: int, frame: FrameType | None) -> None:
        del number, frame
        if on_term is not None:
            on_term()

    signal.signal(signal.SIGTERM, term)
