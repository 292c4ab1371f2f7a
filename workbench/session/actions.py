"""What an operator may ask of a session, and how far that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping  # noqa: TC003  # fields of records name them
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Action(StrEnum):
    """What an operator may ask of a session."""

    CONNECT = "connect"
    DISCONNECT = "disconnect"
    ARM = "arm"
    DISARM = "disarm"
    START = "start"
    STOP = "stop"
    OUTPUTS_OFF = "outputs off"
    RESET = "reset"
    ACTIVATE = "activate"
    INJECT = "inject"
    CLEAR = "clear"
    SCRIPT = "script"  # a certification case acts; no button has it


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something did not happen: a sentence, the next step, details to copy; `told` is the error for scripts."""

    sentence: str
    hint: str = ""
    details: str = ""
    told: Mapping[str, Any] | None = None


@dataclass(slots=True)
class PendingAction:
    """Work under way; whoever does it changes this in `poll`. `fraction` and `left_s` are None where nobody knows.

    `title` is for people; `action` is what an operator asked of the session, None for other work. `payload` is what
    the action answered, once it is done.
    """

    title: str
    sentence: str = ""
    done: bool = False
    error: Failure | None = None
    fraction: float | None = None
    left_s: float | None = None
    cancel: Callable[[], None] | None = None
    payload: Mapping[str, Any] = field(default_factory=dict[str, Any])
    action: Action | None = None
