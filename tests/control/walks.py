"""What long walks through the loop share: a loop that runs, values that stand still, parts that raise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control.state import BenchState
from tests.control.fakes import Rig, rig

if TYPE_CHECKING:
    from control.tick import Tick
    from drivers.event import Event, EventKind

CONNECTED, ARMED, RUNNING = BenchState.CONNECTED, BenchState.ARMED, BenchState.RUNNING


def running(current_a: float = 5.0) -> Rig:
    made = rig()
    made.to(CONNECTED, ARMED, RUNNING)
    made.active.current_a = current_a
    made.turns(3)
    return made


def applied_a(made: Rig, turns: int) -> list[float]:
    """Current that each of the next turns lets through."""
    made.turns(turns)
    return [tick.verdict.apply.current_a for tick in made.kept.ticks[-turns:]]


def told(made: Rig, kind: EventKind | None = None) -> list[Event]:
    """The events so far, those of one kind where it is given."""
    events = [event for tick in made.kept.ticks for event in tick.events]
    return events if kind is None else [event for event in events if event.kind == kind]


def freeze(made: Rig, *names: str) -> None:
    """Values stay as they are, with the time at which they were last sampled."""
    for name in names:
        made.bench.sampled_s[name] = made.clock.now()


def failing(error: Exception) -> Any:
    """Stands in for any method, and raises."""

    def fail(*_: object) -> None:
        raise error

    return fail


def assert_nothing_out(tick: Tick, low_v: float = 0.5, high_v: float = 5.0) -> None:
    applied = tick.verdict.apply
    assert abs(applied.current_a) <= 80.0
    assert ((low_v <= applied.cell_voltage_v) & (applied.cell_voltage_v <= high_v)).all()
