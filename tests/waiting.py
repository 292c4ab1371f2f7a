"""Waiting in tests is waiting for a state: until something holds, or for as long as it must not be otherwise."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

LONG_S: Final = 60.0  # a slow machine among others; what never comes about fails all the same
EVERY_S: Final = 0.005  # between two looks; more where a look costs something


def wait_until(
    holds: Callable[[], T | None], within_s: float = LONG_S, what: str = "it", *, every_s: float = EVERY_S
) -> T:
    """Look until `holds()` is true, and give what it gave; fails when `what` did not come about `within_s`."""
    until_s = time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < until_s, f"{what} did not come about within {within_s:g} s"
        time.sleep(every_s)
    return found


def comes_about(holds: Callable[[], object], within_s: float = LONG_S) -> bool:
    """The same as a question, for who has more to say when it does not."""
    until_s = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > until_s:
            return False
        time.sleep(EVERY_S)
    return True


def stays(
    holds: Callable[[], object],
    until: Callable[[], object],
    within_s: float = LONG_S,
    what: str = "it",
    *,
    every_s: float = EVERY_S,
) -> None:
    """Look that `holds()` at every look until something else has come about: for what must not happen meanwhile."""
    until_s = time.monotonic() + within_s
    while True:
        ended = until()  # before the look, so that the last look is one after the end
        assert holds(), f"{what} did not stay"
        if ended:
            return
        assert time.monotonic() < until_s, f"the end of the wait for {what} did not come about within {within_s:g} s"
        time.sleep(every_s)
