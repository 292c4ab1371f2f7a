"""The status of a session: all that changes, replaced as a whole. Values are SI, times are monotonic seconds."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # a field of a record names it
from dataclasses import dataclass, field
from enum import StrEnum

from control.ports import Plan  # a field of a record names it
from control.state import BenchState, OutputState
from drivers.ports import Health  # noqa: TC001  # a field of a record names it


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """A fault that acts now; `number` identifies it in `clear`."""

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


class CheckState(StrEnum):
    """Progress of one line of the arming checklist."""

    WAITING = "waiting"
    WORKING = "working"
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class ChecklistLine:
    """One line of the arming checklist; `finding` is what was read, `hint` what to do if it failed.

    `values`: what was read, by name, for a program.
    """

    name: str
    state: CheckState
    finding: str = ""
    hint: str = ""
    values: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class LoopStats:
    """Timing of the loop: `late_p99_s` of the last minute, NaN before the first turns; `missed` turns."""

    rate_hz: float = 0.0
    late_p99_s: float = float("nan")
    missed: int = 0


@dataclass(frozen=True, slots=True)
class GuardInfo:
    """The guard's own report; `median_s`: its reaction time from sample to judgement, None until one is known."""

    alive: bool = False
    median_s: float | None = None


@dataclass(frozen=True, slots=True)
class RecordingSize:
    """The amount of data on disk so far; `trouble`: why the disk accepts nothing now, as a sentence."""

    ticks: int = 0
    size_bytes: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What the device under test reports, in its own words; `fault` is empty while it reports none.

    `place`: the cell, or the sensor of a temperature fault, from 1; 0 if none is named.
    """

    state: str = ""
    fault: str = ""
    place: int = 0

    @property
    def fault_words(self) -> str:
        """The fault and its place."""
        part = "sensor" if "TEMP" in self.fault.upper() else "cell"
        return f"{self.fault}, {part} {self.place}" if self.place else self.fault


@dataclass(frozen=True)
class SessionStatus:
    """Everything that changes, replaced as a whole; the window redraws what differs.

    `plans`: the newest plan of each controller that has one; `notes`: why a controller falls back; both by lane name.
    """

    state: BenchState = BenchState.DISCONNECTED
    output: OutputState = OutputState.UNKNOWN
    evidence_class: str = "SIM"
    run_name: str = ""
    run_folder: str = ""
    run_s: float | None = None
    recorded: RecordingSize = RecordingSize()
    loop: LoopStats = LoopStats()
    guard: GuardInfo = GuardInfo()
    realtime: bool = False
    realtime_words: str = ""
    trip_reason: str = ""
    device: DeviceInfo = DeviceInfo()
    health: tuple[Health, ...] = ()
    lanes: tuple[LaneInfo, ...] = ()
    plans: Mapping[str, Plan] = field(default_factory=dict[str, Plan])
    notes: Mapping[str, str] = field(default_factory=dict[str, str])
    injected: tuple[InjectedFault, ...] = ()
    checklist: tuple[ChecklistLine, ...] = ()
