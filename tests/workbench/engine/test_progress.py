"""Connecting and sealing move while they wait, and a cancelled wait ends at once."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, cast

import pytest

from workbench.engine import progress
from workbench.engine.progress import STEP, ConnectProgress, SealProgress

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """A clock that a wait moves by 0.1 s a look."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s

    def wait_until(self, holds: Callable[[], bool], within_s: float) -> bool:
        until_s = self.now_s + within_s
        while not holds():
            if self.now_s > until_s:
                return False
            self.now_s += 0.1
        return True


class Sent(list[float | None]):
    """The fractions that were sent."""

    def __call__(self, sentence: str, fraction: float | None = None) -> None:
        assert sentence
        self.append(fraction)


def never(_: object) -> bool:
    return False


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress, "monotonic", made.monotonic)
    return made


def test_a_wait_moves_and_stays_within_its_step(clock: Clock) -> None:
    sent = Sent()
    waiting = ConnectProgress(cast("Any", clock), sent, lambda: False)
    assert not waiting.wait("waiting for the instruments", 0.5, 6.0, never)
    known = [fraction for fraction in sent if fraction is not None]
    assert len(known) == len(sent) > 10
    assert all(one < other for one, other in itertools.pairwise(known))
    assert known[0] == 0.5
    assert known[-1] <= 0.5 + STEP


def test_a_wait_that_is_cancelled_ends_at_once_and_is_no_success(clock: Clock) -> None:
    waiting = ConnectProgress(cast("Any", clock), Sent(), lambda: clock.now_s >= 101.0)
    assert not waiting.wait("waiting for the instruments", 0.5, 6.0, never)
    assert clock.now_s < 101.5


def test_a_seal_reports_its_fraction_and_no_flood(clock: Clock) -> None:
    sent = Sent()
    seal = SealProgress(sent, ticks=1000)
    for n in range(1000):
        clock.now_s += 0.001
        seal.report(n / 1000)
    assert 3 <= len(sent) <= 6
