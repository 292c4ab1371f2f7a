"""Which action makes sense in which state, and the sentence that says why not."""

from __future__ import annotations

from typing import Final

from workbench.window.model import Action, State

_ALLOWED: Final[dict[Action, frozenset[State]]] = {
    Action.CONNECT: frozenset({State.DISCONNECTED}),
    Action.DISCONNECT: frozenset({State.CONNECTED, State.ARMED, State.RUNNING, State.TRIPPED}),
    Action.ARM: frozenset({State.CONNECTED}),
    Action.DISARM: frozenset({State.ARMED}),
    Action.START: frozenset({State.ARMED}),
    Action.STOP: frozenset({State.RUNNING}),
    Action.OUTPUTS_OFF: frozenset(State),
    Action.RESET: frozenset({State.TRIPPED}),
    Action.ACTIVATE: frozenset({State.CONNECTED, State.ARMED, State.RUNNING}),
    Action.INJECT: frozenset({State.CONNECTED, State.ARMED, State.RUNNING}),
    Action.SCRIPT: frozenset({State.ARMED}),
    Action.CLEAR: frozenset({State.CONNECTED, State.ARMED, State.RUNNING, State.TRIPPED}),
}

_INSTEAD: Final[dict[State, str]] = {
    State.DISCONNECTED: "connect the bench first",
    State.CONNECTED: "arm the bench first",
    State.ARMED: "the bench is armed",
    State.RUNNING: "stop the run first",
    State.TRIPPED: "the bench has tripped; reset it with a reason first",
}


def can(action: Action, state: State) -> tuple[bool, str]:
    """Whether `action` makes sense in `state`; if not, the next step as a sentence."""
    if state in _ALLOWED[action]:
        return True, ""
    if action is Action.CONNECT:
        return False, "The bench is connected already."
    if action is Action.RESET:
        return False, "Nothing has tripped."
    if action is Action.STOP:
        return False, "No run is on."
    sentence = _INSTEAD[state]
    return False, f"{sentence[0].upper()}{sentence[1:]}."
