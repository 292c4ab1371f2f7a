from __future__ import annotations

import pytest

from drivers.errors import BenchError
from tests.waiting import wait_until
from workbench.session import waiting
from workbench.session.actions import PendingAction


class Polled:
    times = 0

    def poll(self) -> None:
        self.times += 1


def test_a_session_is_polled_while_something_long_is_worked_out() -> None:
    session = Polled()

    def work() -> int:
        wait_until(lambda: session.times >= 2, what="a poll beside the work")
        return 7

    assert waiting.beside(session, work) == 7


def test_what_is_worked_out_beside_a_session_may_fail() -> None:
    with pytest.raises(ZeroDivisionError):
        waiting.beside(Polled(), lambda: 1 // 0)


def test_an_action_that_took_too_long_is_withdrawn_and_cancelled() -> None:
    given_up: list[str] = []
    pending = PendingAction("Arm", cancel=lambda: given_up.append("cancel"))
    pending.withdraw = lambda: given_up.append("withdraw")
    with pytest.raises(BenchError, match="Arm did not finish"):
        waiting.finish(Polled(), pending, 0.0)
    assert given_up == ["withdraw", "cancel"]


def test_an_action_that_is_done_is_not_withdrawn() -> None:
    pending = PendingAction("Arm")

    def withdraw() -> None:
        pytest.fail("it has ended in time")

    pending.withdraw = withdraw
    session = Polled()

    def poll() -> None:
        pending.done = True

    session.poll = poll
    waiting.finish(session, pending, 5.0)
