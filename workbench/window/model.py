"""What the window knows of a session, without Qt: facts, a status, events, and actions that return at once.

The window's 30 Hz timer calls `Session.poll`, which drains messages and sends the heartbeat, so that a hung window
counts as dead. Everything is called from one thread. Values are SI; times are seconds of the monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence  # fields of records name them
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from drivers.ports import Health  # noqa: TC001  # a field of a record names it

if TYPE_CHECKING:
    from drivers.ring import RingReader


class State(StrEnum):
    """The state machine in plain sight."""

    DISCONNECTED = "Disconnected"
    CONNECTED = "Connected"
    ARMED = "Armed"
    RUNNING = "Running"
    TRIPPED = "Tripped"


class Output(StrEnum):
    """What is known of the bench's outputs."""

    DE_ENERGISED = "DE-ENERGISED"
    CURRENT_OFF = "CURRENT OFF"
    CELLS_LIVE = "CELLS LIVE"
    ENERGISED = "ENERGISED"
    TRIPPED = "TRIPPED"
    UNKNOWN = "UNKNOWN"


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


class Level(StrEnum):
    """How much an event matters; alarms and warnings wait for an acknowledgement."""

    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"


class CheckState(StrEnum):
    """How far one line of the arming checklist is."""

    WAITING = "waiting"
    WORKING = "working"
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something did not happen: a sentence, the next step, details to copy; `told` is the error for scripts."""

    sentence: str
    hint: str = ""
    details: str = ""
    told: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Pending:
    """An action under way; the session changes it in `poll`. `fraction` and `left_s` are None where nobody knows.

    `payload` is what the action answered, once it is done.
    """

    title: str
    sentence: str = ""
    done: bool = False
    error: Failure | None = None
    fraction: float | None = None
    left_s: float | None = None
    cancel: Callable[[], None] | None = None
    payload: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """One source as declared: `name` as in `Health.name`, the channels that it owns by prefix, its period in s."""

    name: str
    label: str
    prefixes: tuple[str, ...]
    period_s: float


@dataclass(frozen=True, slots=True)
class LimitPair:
    """Limits of one channel in its SI unit; `device` is None where only the bench has one."""

    channel: str
    unit: str
    bench: tuple[float, float]
    device: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number of a fault, SI, with its bounds; `whole` for a count such as a cell number."""

    name: str
    label: str
    unit: str
    low: float
    high: float
    default: float
    whole: bool = False

    @property
    def bounds(self) -> str:
        """What it may be, in SI."""
        return f"{self.low:g}..{self.high:g}" + ("" if self.unit == "1" else f" {self.unit}")

    def allows(self, value: float | str | None) -> bool:
        """Whether `value` is a number within the bounds, and whole where it counts something."""
        if not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        return not self.whole or value == int(value)


@dataclass(frozen=True, slots=True)
class Choice:
    """One word of a fault out of several, such as the instrument that falls silent."""

    name: str
    label: str
    options: tuple[str, ...]

    @property
    def bounds(self) -> str:
        """What it may be."""
        return "|".join(self.options)

    def allows(self, value: float | str | None) -> bool:
        """Whether `value` is one of the options."""
        return value in self.options


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A fault that the bench can inject; `where` says in words where it acts."""

    name: str
    label: str
    where: str
    parameters: tuple[Parameter | Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault that acts now: `number` names it in `clear`."""

    number: int
    name: str
    sentence: str
    since_s: float


@dataclass(frozen=True, slots=True)
class LaneInfo:
    """One lane: `role` is twin, estimator or controller; `state` a word such as ok, stale, failed."""

    role: str
    name: str
    active: bool
    state: str = "ok"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the arming checklist; `finding` is what was read, `hint` what to do when it failed."""

    name: str
    state: CheckState
    finding: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Something that happened at `t_s` (monotonic), `wall_s` (Unix time). `where` is shown at the row's end."""

    number: int
    t_s: float
    wall_s: float
    level: Level
    where: str
    sentence: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LoopStats:
    """How the loop keeps time: `late_p99_s` of the last minute, NaN before the first turns; `missed` turns."""

    rate_hz: float = 0.0
    late_p99_s: float = float("nan")
    missed: int = 0


@dataclass(frozen=True, slots=True)
class GuardInfo:
    """The guard as it reports itself; `median_s` its reaction from sample to judgement, None before one is known."""

    alive: bool = False
    median_s: float | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What went to disk so far."""

    ticks: int = 0
    octets: int = 0


@dataclass(frozen=True)
class BenchFacts:
    """What the bench file declares. `words[channel][value]` names the values of states and flags."""

    name: str
    file: str
    mode: str
    closure: str
    attended: bool
    cells: int
    sources: tuple[SourceInfo, ...] = ()
    limits: tuple[LimitPair, ...] = ()
    faults: tuple[FaultSpec, ...] = ()
    words: Mapping[str, Mapping[int, str]] = field(default_factory=dict[str, Mapping[int, str]])


@dataclass(frozen=True)
class Status:
    """Everything that changes, replaced as a whole; the window redraws what differs."""

    state: State = State.DISCONNECTED
    output: Output = Output.UNKNOWN
    evidence_class: str = "SIM"
    run_name: str = ""
    run_folder: str = ""
    run_s: float | None = None
    recorded: Recorded = Recorded()
    loop: LoopStats = LoopStats()
    guard: GuardInfo = GuardInfo()
    realtime: bool = False
    realtime_words: str = ""
    trip_reason: str = ""
    health: tuple[Health, ...] = ()
    lanes: tuple[LaneInfo, ...] = ()
    injected: tuple[Injected, ...] = ()
    checklist: tuple[Check, ...] = ()


class Session(Protocol):
    """A bench as its operator sees it. Actions return at once; `poll` moves their `Pending` on."""

    @property
    def bench(self) -> BenchFacts: ...

    @property
    def status(self) -> Status: ...

    @property
    def ring(self) -> RingReader | None:
        """The ticks, once an engine writes them; another object after each connect."""
        ...

    @property
    def acknowledged(self) -> AbstractSet[int]:
        """Numbers of the events that were acknowledged."""
        ...

    def poll(self) -> None:
        """Drain messages, send the heartbeat; never blocks."""
        ...

    def events(self, since: int) -> Sequence[EventRecord]:
        """Events whose number is `since` or more, oldest first; numbers count up from 0."""
        ...

    def acknowledge(self, numbers: Sequence[int]) -> None: ...

    def can(self, action: Action) -> tuple[bool, str]:
        """Whether `action` makes sense now, and if not, why not, as a sentence."""
        ...

    def connect(self, *, take_over: bool = False) -> Pending:
        """`take_over`: take a supply that somebody else controls."""
        ...

    def disconnect(self) -> Pending: ...

    def arm(self) -> Pending:
        """Run the checklist, then arm; its lines appear in `Status.checklist`."""
        ...

    def disarm(self) -> Pending: ...

    def start(self) -> Pending: ...

    def stop(self) -> Pending: ...

    def outputs_off(self) -> Pending:
        """Straight to the guard; always possible."""
        ...

    def reset(self, reason: str) -> Pending:
        """Leave Tripped; the reason is recorded."""
        ...

    def activate(self, role: str, lane: str) -> Pending: ...

    def inject(self, fault: str, parameters: Mapping[str, float | str]) -> Pending: ...

    def clear(self, number: int) -> Pending: ...

    def close(self) -> None:
        """End everything that this session started; may take seconds, raises nothing."""
        ...
