"""Protocols of the stages that use hardware or a clock, with one or two verbs each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from drivers.snapshot import Bytes, Channel, Command, Floats


class LinkState(StrEnum):
    """How an instrument or a bus answers; for any state but OK, `Health.detail` has a sentence."""

    CONNECTING = "connecting"
    OK = "ok"
    SILENT = "silent"
    GARBAGE = "garbage"
    REFUSING = "refusing"
    UNFIT = "unfit"
    WRONG_MODEL = "wrong model"
    DROPPED = "dropped"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Health:
    """State of one source, with a sentence that states what to do about it."""

    name: str
    state: LinkState
    detail: str = ""


class Source(Protocol):
    """A part that measures: it owns some channels and fills their columns with its newest values."""

    @property
    def name(self) -> str: ...

    @property
    def channels(self) -> tuple[Channel, ...]: ...

    def read(self, values: Floats, sampled_s: Floats, quality: Bytes) -> None:
        """Write the newest values into views of this source's own columns; never block."""
        ...

    def health(self) -> Health: ...


class Actuator(Protocol):
    """A part that acts on an allowed command; both methods only pass it on and never block.

    A missing instrument is no error here: the health of its source reports it.
    """

    def apply(self, command: Command) -> None:
        """Request the values of `command`; raise `BenchError` for a value that is not finite."""
        ...

    def safe(self) -> None:
        """Request zero current, whatever was requested or refused before; leave the voltages."""
        ...


class Clock(Protocol):
    """Time as an argument: the wall clock at a bench, a stepped one in tests."""

    def now(self) -> float:
        """Return seconds, monotonic."""
        ...

    def wait_until(self, due_s: float) -> None: ...
