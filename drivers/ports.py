"""The stages that touch a wire or a clock, as protocols of one or two verbs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from drivers.snapshot import Bytes, Channel, Command, Floats


class LinkState(StrEnum):
    """How an instrument or a bus answers; anything but OK comes with a sentence in `Health.detail`."""

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
    """State of one source, with a sentence that says what to do about it."""

    name: str
    state: LinkState
    detail: str = ""


class Source(Protocol):
    """Something that measures: owns some channels and fills their columns with the newest values it has."""

    @property
    def name(self) -> str: ...

    @property
    def channels(self) -> tuple[Channel, ...]: ...

    def read(self, values: Floats, sampled_s: Floats, quality: Bytes) -> None:
        """Write the newest values into views of this source's own columns; never blocks."""
        ...

    def health(self) -> Health: ...


class Actuator(Protocol):
    """Something that acts on an allowed command; both verbs only hand over and never block."""

    def apply(self, command: Command) -> None: ...

    def safe(self) -> None:
        """Ask for zero current, whatever was asked before."""
        ...


class Clock(Protocol):
    """Time as an argument: the wall clock at a bench, a stepped one in tests."""

    def now(self) -> float:
        """Seconds, monotonic."""
        ...

    def wait_until(self, due_s: float) -> None: ...
