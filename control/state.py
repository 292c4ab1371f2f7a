"""States of a bench and of its outputs, and the transitions. Few imports, because a client loads it first."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final

from drivers.errors import Refused


class BenchState(IntEnum):
    """The state of a session; a run records the number."""

    DISCONNECTED = 0
    CONNECTED = 1
    ARMED = 2
    RUNNING = 3
    TRIPPED = 4

    @property
    def word(self) -> str:
        return self.name.capitalize()


FOLLOWS: Final[dict[BenchState, frozenset[BenchState]]] = {
    BenchState.DISCONNECTED: frozenset({BenchState.CONNECTED, BenchState.TRIPPED}),  # OFF while it connects
    BenchState.CONNECTED: frozenset({BenchState.DISCONNECTED, BenchState.ARMED, BenchState.TRIPPED}),
    BenchState.ARMED: frozenset({BenchState.CONNECTED, BenchState.RUNNING, BenchState.TRIPPED}),
    BenchState.RUNNING: frozenset({BenchState.ARMED, BenchState.CONNECTED, BenchState.TRIPPED}),
    BenchState.TRIPPED: frozenset(),  # only `reset` leaves it
}


class StateMachine:
    """One session's state; `reason`: why it tripped; `trips` counts, as a verified result belongs to one trip."""

    def __init__(self) -> None:
        self.state = BenchState.DISCONNECTED
        self.reason = ""
        self.trips = 0

    def to(self, state: BenchState) -> None:
        """Go to `state`; raise `Refused` if no transition leads there, with the possible ones in its hint."""
        if state not in FOLLOWS[self.state]:
            hint = ", ".join(sorted(s.word for s in FOLLOWS[self.state])) or "only a reset with a reason"
            raise Refused(f"cannot go from {self.state.word} to {state.word}", hint=f"possible now: {hint}")
        self.state = state

    def trip(self, reason: str) -> bool:
        """Trip from any state but Tripped, where nothing changes: return False then. The first reason stays."""
        if BenchState.TRIPPED not in FOLLOWS[self.state]:
            return False
        self.state, self.reason = BenchState.TRIPPED, reason
        self.trips += 1
        return True

    def reset(self, reason: str) -> None:
        """Go from Tripped to Connected; raise `Refused` in any other state, or without a reason."""
        if self.state is not BenchState.TRIPPED:
            raise Refused(f"{self.state.word} needs no reset", hint="only a tripped bench is reset")
        if not reason.strip():
            raise Refused("a reset needs a reason", hint="write why the bench is safe now")
        self.state, self.reason = BenchState.CONNECTED, ""


class OutputState(StrEnum):
    """The state of the outputs, as far as read-backs prove it."""

    DE_ENERGISED = "DE-ENERGISED"  # every output verified off
    CELLS_LIVE = "CELLS LIVE"  # source off, contactor open, cell outputs carry voltage
    CURRENT_OFF = "CURRENT OFF"  # source off, contactor still closed
    ENERGISED = "ENERGISED"
    TRIPPED = "TRIPPED"  # tripped, and the source verified off
    UNKNOWN = "UNKNOWN"
