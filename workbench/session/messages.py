"""What travels between a client and the engine beside `EventRecord`; plain records, pickled over a pipe."""

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
    """Client to engine: do `verb` with `arguments`, answer under `number`."""

    number: int
    verb: str
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class RequestProgress:
    """How far the action under `number` is."""

    number: int
    sentence: str
    fraction: float | None = None
    left_s: float | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """The action under `number` ended, well when `error` is None."""

    number: int
    error: Failure | None = None
    payload: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class BenchDeclared:
    """The bench file was read."""

    bench: BenchInfo


@dataclass(frozen=True, slots=True)
class BenchUnreadable:
    """The bench file has a mistake."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class RingOpened:
    """The ring is there."""

    path: Path


@dataclass(frozen=True, slots=True)
class OutputsOffReceived:
    """OUTPUTS OFF of that number has reached the engine at `t_s`; what was verified follows in its `Response`."""

    number: int
    t_s: float


@dataclass(frozen=True, slots=True)
class Closed:
    """The bench is closed. `verified`: every output was read back off, nothing is left to guard.

    `output`: the word that the last read-backs prove; nobody infers one later.
    """

    verified: bool
    output: OutputState


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """Everything that changes."""

    status: SessionStatus
