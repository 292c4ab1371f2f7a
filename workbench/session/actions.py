"""The actions that an operator may request of a session, and their progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping  # noqa: TC003  # fields of records name them
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Action(StrEnum):
    """An action that an operator may request of a session."""

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
    """The reason of a failure: a sentence, the next step, details to copy; `error_json` is the error for scripts."""

    sentence: str
    hint: str = ""
    details: str = ""
    error_json: Mapping[str, Any] | None = None


@dataclass(slots=True)
class PendingAction:
    """An action in progress; its owner updates it in `poll`. `fraction` and `left_s` are None if unknown.

    `title` is for people; `action` is what the operator requested, None for other work. `payload` is the result of
    the action, once it is done. `withdraw` takes back a request that has not begun.
    """

    title: str
    sentence: str = ""
    done: bool = False
    error: Failure | None = None
    fraction: float | None = None
    left_s: float | None = None
    cancel: Callable[[], None] | None = None
    withdraw: Callable[[], None] | None = None
    why_no_cancel: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict[str, Any])
    action: Action | None = None
