"""What the step of a hung guard makes of the presses: every one is acknowledged by the engine, the guard is named."""

from __future__ import annotations

import pytest

from drivers.event import KIND, Event, EventKind, Level
from workbench.selftest.last_resort_steps import judge_receipts
from workbench.session.outputs_off_requests import ENGINE, GUARD


def missing(*peers: str) -> Event:
    data = {KIND: EventKind.OFF_NOT_ACKNOWLEDGED, **dict.fromkeys(peers, 1)}
    return Event(Level.WARNING, "outputs off", "not acknowledged", data)


@pytest.mark.parametrize(
    ("events", "slowest_ms", "own_ms", "judged"),
    [
        ([missing(GUARD), missing(GUARD)], 20.0, 0.0, True),
        ([], 20.0, 0.0, False),
        ([missing(GUARD)], 20.0, 0.0, False),
        ([missing(GUARD), missing(GUARD, ENGINE)], 250.0, 0.0, False),
        ([missing(GUARD, ENGINE), missing(GUARD)], float("inf"), 0.0, False),
        ([missing(GUARD), missing(GUARD, ENGINE)], 250.0, 100.0, None),
        ([missing(GUARD), missing(ENGINE)], 250.0, 100.0, False),
        ([missing(GUARD), missing(GUARD, ENGINE)], 20.0, 0.0, False),
    ],
    ids=["both", "nobody named", "one", "engine late", "never", "machine late", "engine alone", "named yet in time"],
)
def test_each_press_names_the_guard_alone(
    events: list[Event], slowest_ms: float, own_ms: float, *, judged: bool | None
) -> None:
    assert judge_receipts(events, slowest_ms, own_ms) is judged
