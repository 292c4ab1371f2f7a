"""The messages between a client and the engine besides `EventRecord`: plain records, pickled over a pipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003  # fields of records name them
from typing import Any

from control.state import OutputState  # noqa: TC001  # fields of records name them
from workbench.session.actions import Failure  # noqa: TC001  # fields of records name them
from workbench.session.bench_info import BenchInfo  # noqa: TC001  # fields of records name them
from workbench.session.status import SessionStatus  # noqa: TC001  # fields of records name them


@dataclass(frozen=True, slots=True)
class Request:
    """Client to engine: run `verb` with `arguments`; the response has the same `number`."""

    number: int
    verb: str
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class RequestProgress:
    """Progress of the action `number`."""

    number: int
    sentence: str
    fraction: float | None = None
    left_s: float | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """The action `number` ended; it succeeded if `error` is None."""

    number: int
    error: Failure | None = None
    payload: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class BenchDeclared:
    """The bench file was read."""

    bench: BenchInfo


@dataclass(frozen=True, slots=True)
class BenchUnreadable:
    """The bench file has an error."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class RingOpened:
    """The ring exists and can be opened."""

    path: Path


@dataclass(frozen=True, slots=True)
class OutputsOffReceived:
    """The engine received OUTPUTS OFF `number` at `t_s`; its `Response` reports later what was verified."""

    number: int
    t_s: float


@dataclass(frozen=True, slots=True)
class Closed:
    """The bench is closed. `is_released`: nothing was live, or off was verified; the guard has nothing left to do.

    `output`: the state that the last read-backs prove. It alone says what is off; nothing is inferred from the rest.
    """

    is_released: bool
    output: OutputState


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """The whole status, which replaces the one before."""

    status: SessionStatus
