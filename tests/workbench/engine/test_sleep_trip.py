from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from control.guard_link import pipe
from control.state import BenchState
from drivers.event import Event, Level
from drivers.suspend import SuspendWatch
from tests.waiting import wait_until
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.engine import command_handler
from workbench.engine import engine as engine_module
from workbench.engine.command_handler import CommandHandler
from workbench.engine.engine import Engine
from workbench.engine.sleep_trip import SleepTrip
from workbench.session.order import EngineOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SAID = "the computer was asleep for 7.0 s and did not guard the bench"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine that serves nobody and connects nothing."""
    ours, theirs = pipe()
    no_bench: Any = None
    made = Engine(EngineOrder(EMULATED_BENCH, tmp_path), theirs, theirs, no_bench)
    yield made
    made.to_client.close()
    for end in (ours, theirs):
        end.close()


@pytest.mark.parametrize(
    ("state", "live", "trips"),
    [
        (BenchState.CONNECTED, False, False),
        (BenchState.CONNECTED, True, True),
        (BenchState.ARMED, False, True),
        (BenchState.RUNNING, True, True),
    ],
)
def test_what_is_live_trips_after_a_sleep_and_what_rests_is_told(state: BenchState, *, live: bool, trips: bool) -> None:
    slept_s = [0.0]
    told: list[Event] = []
    tripped: list[str] = []
    loop = SimpleNamespace(live=live, machine=SimpleNamespace(state=state), trip=tripped.append)
    station: Any = SimpleNamespace(loop=loop)

    wake = SleepTrip(told.append, SuspendWatch(lambda: 0.0, lambda: slept_s[0]))
    wake.watch(station)
    slept_s[0] = 7.0
    wake.watch(station)
    wake.watch(station)
    assert tripped == ([SAID] if trips else [])
    assert told == ([] if trips else [Event(Level.WARNING, "session", SAID)])


class SpyInhibitor:
    """What the engine asks of the system; `on` is None until it asks."""

    made: list[SpyInhibitor]

    def __init__(self) -> None:
        self.on: bool | None = None
        self.closed = False
        self.made.append(self)

    def keep(self, on: bool) -> None:  # noqa: FBT001  # as the inhibitor has it
        self.on = on

    def close(self) -> None:
        self.closed = True


def test_the_engine_keeps_the_computer_awake_while_a_bench_is_armed_and_no_longer(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    SpyInhibitor.made = []
    monkeypatch.setattr(engine_module, "SleepInhibitor", SpyInhibitor)
    monkeypatch.setattr(engine_module, "NEWS_S", 0.001)
    commands: Any = SimpleNamespace(state=BenchState.CONNECTED)
    engine.commands = commands
    publishing = threading.Thread(target=engine._publish_status, daemon=True)  # pyright: ignore[reportPrivateUsage]  # the thread's own work
    publishing.start()
    inhibitor = wait_until(lambda: SpyInhibitor.made, 10.0)[0]
    for state, awake in (
        (BenchState.CONNECTED, False),
        (BenchState.ARMED, True),
        (BenchState.CONNECTED, False),
        (BenchState.RUNNING, True),
        (BenchState.TRIPPED, False),
        (BenchState.ARMED, True),
    ):
        commands.state = state
        wait_until(lambda awake=awake: inhibitor.on is awake, 5.0, f"awake {awake} while {state.word}")
    engine._left.set()  # pyright: ignore[reportPrivateUsage]  # the end of its threads
    publishing.join(10.0)
    assert inhibitor.closed


def test_each_turn_of_the_engine_looks_whether_the_computer_slept(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept_s, tripped = [0.0], list[str]()

    def ignore(*_: object) -> None: ...

    def watch_stepped(tell: Callable[[Event], object]) -> SleepTrip:
        return SleepTrip(tell, SuspendWatch(lambda: 0.0, lambda: slept_s[0]))

    monkeypatch.setattr(command_handler, "SleepTrip", watch_stepped)
    bench: Any = SimpleNamespace()
    engine.commands = CommandHandler(engine, bench)
    monkeypatch.setattr(engine.commands.guard_fallback, "check", ignore)
    loop = SimpleNamespace(live=True, machine=SimpleNamespace(state=BenchState.RUNNING), trip=tripped.append)
    station: Any = SimpleNamespace(loop=loop)
    engine.bench = station
    tick: Any = SimpleNamespace(events=(), snapshot=SimpleNamespace(t_s=1.0))
    turn = engine._after_turn  # pyright: ignore[reportPrivateUsage]  # what the loop calls
    turn(tick)
    assert tripped == []
    slept_s[0] = 7.0
    turn(tick)
    assert tripped == [SAID]
