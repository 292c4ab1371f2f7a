"""How a selftest brings its bench to a state."""

from __future__ import annotations

import pytest

from control.state import BenchState
from drivers.errors import BenchError
from workbench.selftest.context import find_place
from workbench.session.status import SessionStatus


def test_a_bench_that_trips_on_the_way_says_its_reason() -> None:
    assert find_place(SessionStatus(state=BenchState.ARMED)) == 2
    with pytest.raises(BenchError, match="the bench tripped: the guard is silent"):
        find_place(SessionStatus(state=BenchState.TRIPPED, trip_reason="the guard is silent"))
