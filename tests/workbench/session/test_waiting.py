from __future__ import annotations

import pytest

from tests.waiting import wait_until
from workbench.session import waiting


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
