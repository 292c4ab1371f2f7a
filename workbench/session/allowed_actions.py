"""The actions that are allowed in each state, and the sentence that gives the reason if one is not."""

from __future__ import annotations

from typing import Final

from control.state import BenchState
from workbench.session.actions import Action

_ALLOWED: Final[dict[Action, frozenset[BenchState]]] = {
    Action.CONNECT: frozenset({BenchState.DISCONNECTED}),
    Action.DISCONNECT: frozenset({BenchState.CONNECTED, BenchState.ARMED, BenchState.RUNNING, BenchState.TRIPPED}),
    Action.ARM: frozenset({BenchState.CONNECTED}),
    Action.DISARM: frozenset({BenchState.ARMED}),
    Action.START: frozenset({BenchState.ARMED}),
    Action.STOP: frozenset({BenchState.RUNNING}),
    Action.OUTPUTS_OFF: frozenset(BenchState),
    Action.RESET: frozenset({BenchState.TRIPPED}),
    Action.ACTIVATE: frozenset({BenchState.CONNECTED, BenchState.ARMED, BenchState.RUNNING}),
    Action.INJECT: frozenset({BenchState.CONNECTED, BenchState.ARMED, BenchState.RUNNING}),
    Action.SCRIPT: frozenset({BenchState.ARMED}),
    Action.CLEAR: frozenset({BenchState.CONNECTED, BenchState.ARMED, BenchState.RUNNING, BenchState.TRIPPED}),
}

_INSTEAD: Final[dict[BenchState, str]] = {
    BenchState.DISCONNECTED: "connect the bench first",
    BenchState.CONNECTED: "arm the bench first",
    BenchState.ARMED: "the bench is armed",
    BenchState.RUNNING: "stop the run first",
    BenchState.TRIPPED: "the bench has tripped; reset it with a reason first",
}

_TO_REST: Final = frozenset({Action.DISCONNECT, Action.DISARM, Action.STOP})


def can_withdraw(action: Action) -> bool:
    """Return whether a request that still waits may be left out: never one that leads to rest.

    `connect` is cancelled instead: an OUTPUTS OFF that follows it waits for its bench.
    """
    return action not in _TO_REST and action is not Action.CONNECT


def can(action: Action, state: BenchState) -> tuple[bool, str]:
    """Return whether `action` is allowed in `state`; if not, the next step as a sentence."""
    if state in _ALLOWED[action]:
        return True, ""
    if action is Action.CONNECT:
        return False, "The bench is connected already."
    if action is Action.RESET:
        return False, "The bench has not tripped."
    if action is Action.STOP:
        return False, "Nothing is running."
    sentence = _INSTEAD[state]
    return False, f"{sentence[0].upper()}{sentence[1:]}."
