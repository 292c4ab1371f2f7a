"""The loop goes live, and contactors may close, only once the guard has confirmed that it is armed."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from control.guard_reports import ArmAnswer, NumberedAnswer, ResetAnswer
from control.state import BenchState
from drivers.errors import BenchError
from workbench.engine.arm import ARMED_S, _go_live  # pyright: ignore[reportPrivateUsage]  # the door to live

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.engine.live_bench import LiveBench

NUMBER = 5


@dataclass
class ArmedGuard:
    """A guard that gives `answers`, by number."""

    answers: dict[int, NumberedAnswer] = field(default_factory=dict[int, NumberedAnswer])

    def arm(self) -> int:
        return NUMBER

    def answer(self, number: int) -> NumberedAnswer | None:
        return self.answers.get(number)


class GoingLive:
    """A connected bench and its guard; `waited_s` is how long the guard's answer was waited for."""

    def __init__(self, *answers: NumberedAnswer) -> None:
        self.guard = ArmedGuard({answer.number: answer for answer in answers})
        self.loop = SimpleNamespace(live=False, machine=SimpleNamespace(state=BenchState.CONNECTED, reason=""))
        self.waited_s: list[float] = []

    def wait_until(self, holds: Callable[[], bool], within_s: float) -> bool:
        self.waited_s.append(within_s)
        return holds()

    def go(self, *, cancelled: bool = False) -> None:
        _go_live(cast("LiveBench", self), lambda: cancelled)


def test_a_guard_that_confirms_lets_the_loop_go_live() -> None:
    made = GoingLive(ArmAnswer(NUMBER, armed=True, cause=""))
    made.go()
    assert made.loop.live
    assert made.waited_s == [ARMED_S]


def test_without_an_answer_nothing_goes_live() -> None:
    made = GoingLive()
    with pytest.raises(BenchError, match=r"the guard has not confirmed within 0\.2 s that it is armed"):
        made.go()
    assert not made.loop.live


@pytest.mark.parametrize(
    "answer",
    [ArmAnswer(NUMBER - 1, armed=True, cause=""), ArmAnswer(NUMBER, armed=False, cause=""), ResetAnswer(NUMBER, "")],
)
def test_an_answer_that_does_not_say_armed_to_this_message_confirms_nothing(answer: NumberedAnswer) -> None:
    made = GoingLive(answer)
    with pytest.raises(BenchError, match="has not confirmed"):
        made.go()
    assert not made.loop.live


def test_a_guard_that_has_tripped_lets_nothing_go_live() -> None:
    made = GoingLive(ArmAnswer(NUMBER, armed=True, cause="io/estop is open"))
    with pytest.raises(BenchError, match="the guard has tripped: io/estop is open"):
        made.go()
    assert not made.loop.live


def test_a_bench_that_has_tripped_or_was_cancelled_asks_no_guard() -> None:
    tripped, cancelled = (GoingLive(ArmAnswer(NUMBER, armed=True, cause="")) for _ in range(2))
    tripped.loop.machine.state = BenchState.TRIPPED
    with pytest.raises(BenchError, match="tripped"):
        tripped.go()
    with pytest.raises(BenchError, match="cancelled"):
        cancelled.go(cancelled=True)
    for made in (tripped, cancelled):
        assert (made.loop.live, made.waited_s) == (False, [])
