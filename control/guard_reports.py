"""Reports of the guard to engine and client, sent pickled; `guard_journal` writes the same to disk.

Times are seconds on the machine's monotonic clock, NaN where the event did not happen. A `number` is that of the
answered message (`guard_messages`), 0 where the sender gave none.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TypeAlias

from drivers.safe_commands import SafeStepResult  # noqa: TC001  # loaded before a report that holds one arrives


class GuardResult(StrEnum):
    """What the guard itself has verified; the journal holds the value."""

    SAFE = "SAFE"
    UNKNOWN = "UNKNOWN"
    NOTHING_TRIPPED = "NOTHING TRIPPED"  # only in `GuardEnded`


@dataclass(frozen=True, slots=True)
class GuardStarted:
    """The guard has started; `realtime` states how it is scheduled."""

    realtime: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The guard's state, 40 times a second.

    `cause`: why it has tripped, empty while it has not. `reaction_s`: median time from the publication of a row to its
    check. `trouble`: one sentence for each connection that is down. `ports`: each connection's local port, by which an
    instrument's journal names it; 0 without one.
    """

    t_s: float
    armed: bool
    cause: str
    reaction_s: float
    realtime: str
    trouble: tuple[str, ...]
    ports: tuple[int, ...]
    pid: int


@dataclass(frozen=True, slots=True)
class ArmAnswer:
    """The guard is armed, or disarmed, from now on; `cause`: why it has tripped, empty while it has not."""

    number: int
    armed: bool
    cause: str


@dataclass(frozen=True, slots=True)
class ResetAnswer:
    """Whether a reset was granted; `cause`: why the guard is still latched, empty if it is not."""

    number: int
    cause: str

    @property
    def is_granted(self) -> bool:
        return not self.cause


@dataclass(frozen=True, slots=True)
class OffReceived:
    """OUTPUTS OFF arrived at `t_s`; a `TripReport` with the verified steps follows."""

    number: int
    t_s: float


@dataclass(frozen=True, slots=True)
class MarkAnswer:
    """Whether the bytes that prove the guard's own connection were sent."""

    ok: bool


@dataclass(frozen=True, slots=True)
class TripReport:
    """What one safe sequence has verified.

    `trip` counts the guard's trips, from 1. `offs`: numbers of the OUTPUTS OFF messages that this report answers.
    `ports`: as in `Heartbeat`.
    """

    trip: int
    offs: tuple[int, ...]
    reason: str
    result: GuardResult
    steps: tuple[SafeStepResult, ...]
    trigger_s: float
    first_send_s: float
    verified_s: float
    ports: tuple[int, ...]

    @property
    def is_safe(self) -> bool:
        """Whether every step was verified."""
        return self.result is GuardResult.SAFE

    @property
    def took_ms(self) -> float:
        """Time from the trip to the last verified step, ms."""
        return 1e3 * (self.verified_s - self.trigger_s)

    @property
    def steps_text(self) -> str:
        """The steps, for the detail of an event."""
        return str([asdict(step) for step in self.steps])


@dataclass(frozen=True, slots=True)
class GuardReset:
    """A reset was granted: the given `reason`, and the cause that was reset (`was`)."""

    reason: str
    was: str


@dataclass(frozen=True, slots=True)
class GuardEnded:
    """The guard's last report."""

    result: GuardResult


NumberedAnswer: TypeAlias = ArmAnswer | ResetAnswer
KeptReport: TypeAlias = NumberedAnswer | OffReceived | MarkAnswer | TripReport
GuardReport: TypeAlias = Heartbeat | KeptReport  # what a peer receives
JournalRecord: TypeAlias = GuardStarted | KeptReport | GuardReset | GuardEnded  # what a journal holds
