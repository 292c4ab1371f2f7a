from __future__ import annotations

import time

import pytest

from workbench.tour import yardstick
from workbench.tour.yardstick import Yardstick


@pytest.mark.alone
def test_an_empty_loop_tells_how_late_the_machine_is() -> None:
    machine = Yardstick()
    time.sleep(1.5)
    assert 0.0 < machine.p99_ms() < 1000.0


def test_an_empty_loop_that_was_killed_allows_for_nothing() -> None:
    machine = Yardstick()
    machine.process.kill()  # whoever cleans up a machine
    assert machine.p99_ms() == 0.0


def test_one_that_does_not_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yardstick, "END_S", 0.0)
    assert Yardstick().p99_ms() == 0.0
