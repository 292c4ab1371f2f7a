from __future__ import annotations

import time

import pytest

from workbench.session import patience


class Polled:
    times = 0

    def poll(self) -> None:
        self.times += 1


def test_a_session_is_polled_while_something_long_is_worked_out() -> None:
    session = Polled()

    def work() -> int:
        time.sleep(5 * patience.POLL_S)
        return 7

    assert patience.beside(session, work) == 7
    assert session.times >= 2


def test_what_is_worked_out_beside_a_session_may_fail() -> None:
    with pytest.raises(ZeroDivisionError):
        patience.beside(Polled(), lambda: 1 // 0)
