"""One event when a controller falls back, and one when it decides by itself again."""

from __future__ import annotations

from control.fallback_events import FallbackEvents
from control.ports import Decision, Fallback
from drivers.event import EventKind, Level

OWN = Decision(1.0, 0.0, 0)


def fallen(fallback: Fallback, note: str = "") -> Decision:
    return Decision(1.0, 0.0, 0, 0, fallback, note)


def test_a_change_is_told_once() -> None:
    events = FallbackEvents()
    assert events.take_changes({"MPC": OWN}, "MPC") == []
    (event,) = events.take_changes({"MPC": fallen(Fallback.SHIFTED, "no plan was found")}, "MPC")
    assert (event.level, event.kind) == (Level.WARNING, EventKind.CONTROLLER_FALLBACK)
    assert event.data["fallback"] == "shifted"
    assert "no plan was found" in event.text
    assert events.take_changes({"MPC": fallen(Fallback.SHIFTED)}, "MPC") == []
    (event,) = events.take_changes({"MPC": OWN}, "MPC")
    assert (event.level, event.data["fallback"]) == (Level.INFO, "none")


def test_a_shadow_that_falls_back_is_no_warning() -> None:
    (event,) = FallbackEvents().take_changes({"RL": fallen(Fallback.OTHER)}, "MPC")
    assert event.level is Level.INFO
