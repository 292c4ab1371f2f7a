"""OUTPUTS OFF in the engine: each press is acknowledged when it arrives, and answered under its own number."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from drivers.errors import BenchError
from tests.waiting import wait_until
from workbench.engine.outputs_off import HARD_WIRED, NOT_VERIFIED, NOTHING_HERE, WHY, OutputsOff
from workbench.session.actions import Failure
from workbench.session.messages import OutputsOffReceived, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbench.engine.engine import Engine

AT_ONCE_S = 2.0  # on a busy machine
HELD_S = 30.0  # a sequence that is never let go ends all the same


class PressedEngine:
    """An engine whose own safe sequence lasts until `let_go`; `sent` is what its client receives."""

    def __init__(self) -> None:
        self.sent: list[object] = []
        self.tripped: list[str] = []
        self.trouble: list[str] | Exception = []
        self.begun, self.let_go = threading.Semaphore(0), threading.Event()
        fallback = SimpleNamespace(make_safe=self._make_safe, is_verified=bool)
        self.to_client = SimpleNamespace(send=self.sent.append)
        self.commands = SimpleNamespace(cancelled=threading.Event(), connecting=False, guard_fallback=fallback)
        self.bench: object = SimpleNamespace(wait_until=self._wait_until)
        self.trip = self.tripped.append

    def publish(self) -> None:
        self.sent.append("status")

    @staticmethod
    def _wait_until(holds: Callable[[], bool], within_s: float) -> bool:
        del holds, within_s
        return False  # the guard verifies nothing either

    def _make_safe(self, station: object) -> list[str]:
        assert station is self.bench
        self.begun.release()
        self.let_go.wait(HELD_S)
        if isinstance(self.trouble, Exception):
            raise self.trouble
        return self.trouble

    @property
    def received(self) -> list[int]:
        return [message.number for message in self.sent if isinstance(message, OutputsOffReceived)]

    @property
    def responses(self) -> list[Response]:
        return [message for message in self.sent if isinstance(message, Response)]


@pytest.fixture
def engine() -> PressedEngine:
    return PressedEngine()


@pytest.fixture
def off(engine: PressedEngine) -> Iterator[OutputsOff]:
    made = OutputsOff(cast("Engine", engine))
    yield made
    engine.let_go.set()
    made.close()


def test_a_press_amid_the_engines_own_safe_sequence_is_acknowledged_at_once_and_answered_in_its_turn(
    engine: PressedEngine, off: OutputsOff
) -> None:
    off.press(1)
    assert engine.begun.acquire(timeout=AT_ONCE_S)
    off.press(2)
    wait_until(lambda: engine.received == [1, 2], AT_ONCE_S, "the receipt of both presses")
    assert engine.responses == [], "the sequence of the first still runs"
    assert engine.commands.cancelled.is_set()
    engine.let_go.set()
    wait_until(lambda: len(engine.responses) == 2, AT_ONCE_S, "both answers")
    assert engine.responses == [Response(1), Response(2)]
    assert engine.tripped == [WHY, WHY]
    assert engine.sent[-4:] == ["status", Response(1), "status", Response(2)], "what is read back comes first"


def test_the_presses_go_on_being_answered_whatever_a_safe_sequence_raises(
    engine: PressedEngine, off: OutputsOff
) -> None:
    engine.let_go.set()
    engine.trouble = BenchError("a vendor's library gave up")
    off.press(1)
    wait_until(lambda: engine.responses, AT_ONCE_S, "the first answer")
    engine.trouble = ["contactors are not verified open"]
    off.press(2)
    wait_until(lambda: len(engine.responses) == 2, AT_ONCE_S, "the second answer")
    engine.bench = None
    off.press(3)
    wait_until(lambda: len(engine.responses) == 3, AT_ONCE_S, "the third answer")
    first, second, third = (response.error for response in engine.responses)
    assert first is not None
    assert (first.sentence, first.hint) == (NOT_VERIFIED, HARD_WIRED)
    assert second == Failure(NOT_VERIFIED, HARD_WIRED, "contactors are not verified open")
    assert third == NOTHING_HERE
