"""The guard's state machine: it trips on bench limits, lost channels, silent or dead peers and OUTPUTS OFF. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from control.gate import find_first
from control.guard_messages import ARMED, BYE, DISARMED, OFF, QUIT, TRIP, decode
from drivers import suspend

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from control.gate import BenchLimits
    from drivers.safe_commands import SafeConnection
    from drivers.snapshot import Columns, Floats

CONTACTORS_OPEN: Final = "contactors open"  # the step that a contact may verify; see `GuardConfig.contact`


class SafeCommandStep(Protocol):
    """One step of the safe commands, and how long it may take."""

    @property
    def name(self) -> str: ...
    @property
    def within_s(self) -> float: ...


class SafeCommands(Protocol):
    """Safe commands that are sent to the guard's process and opened there (`drivers.safe_commands`)."""

    @property
    def steps(self) -> Sequence[SafeCommandStep]: ...
    def open(self) -> SafeConnection: ...


@dataclass(frozen=True)
class GuardConfig:
    """The guard's configuration, received once, before anything is live.

    `limits` apply to the measured columns of the ring at `ring`. `required` column n may stay unknown for `lost_s[n]`.
    `attended`: the client's death ends the run. `safe_commands` are in the declared order. `report`: the guard's own
    journal, JSON lines. When both peers are gone, the guard repeats an unverified sequence for `orphan_s`. `contact`:
    the column of the contactor's own contact, which verifies "open" where an unpowered device under test cannot; None
    without one.
    """

    ring: Path
    limits: BenchLimits
    required: Columns
    lost_s: Floats
    attended: bool
    silent_s: float
    client_silent_s: float
    safe_commands: tuple[SafeCommands, ...]
    report: Path
    orphan_s: float = 120.0
    contact: int | None = None


@dataclass
class GuardState:
    """What the guard knows of its peers and of the bench; `cause` latches the first reason to trip.

    `trip` counts the causes: a verified result belongs to one trip. `offs`: numbers of the OUTPUTS OFF messages that
    wait for a verified result. The guard is armed unless it knows that it is disarmed. A peer's silence counts from its
    first byte, or from arming; a closed pipe always counts.
    """

    spec: GuardConfig
    cause: str = ""
    trip: int = 0
    offs: list[int] = field(default_factory=list[int])
    armed: bool = True
    engine_gone: bool = False
    client_gone: bool = False
    _engine_s: float | None = None
    _client_s: float | None = None
    _orderly: bool = False
    _known_s: Floats = field(init=False)

    def __post_init__(self) -> None:
        self._known_s = np.full(len(self.spec.required), np.nan)  # counts from the engine's first byte on

    def on_engine_message(self, message: bytes, now_s: float) -> None:
        """Handle a message of the engine, except a reset: `Guard` handles that, it knows whether off is verified."""
        if self._engine_s is None:
            self._known_s[:] = now_s
        self._engine_s = now_s
        kind = message[:1]
        if kind == ARMED:
            self._arm(now_s)
        elif kind == DISARMED:
            self.armed = False
        elif kind == TRIP:
            self._trip(f"engine: {message[1:].decode(errors='replace')}")
        elif kind == QUIT:
            self._orderly = not self.armed

    def on_client_message(self, message: bytes, now_s: float) -> None:
        """Handle a message of the window or the command line."""
        self._client_s = now_s
        if message[:1] == OFF:
            self.offs.append(decode(message).number)
            self._trip("OUTPUTS OFF was pressed")
        elif message == BYE and not self.armed:
            self.client_gone = True

    @property
    def ended_in_order(self) -> bool:
        """Whether both peers are gone and the engine reported before its end that everything is verified off."""
        return self.engine_gone and self.client_gone and self._orderly

    def on_engine_closed(self) -> None:
        """Handle the closed pipe of the engine: trip unless it left in order."""
        self.engine_gone = True
        if not self._orderly:
            self._trip("the engine has died")

    def on_client_closed(self) -> None:
        """Handle the closed pipe of the client: trip if it left an attended, armed run without notice."""
        orderly, self.client_gone = self.client_gone, True
        if self.spec.attended and self.armed and not orderly:
            self._trip("the client has ended in an attended run")

    def check_timeouts(self, now_s: float) -> None:
        """Trip, while armed, on a peer that is silent too long or a required channel that is unknown too long."""
        if not self.armed or self.cause:
            return
        spec = self.spec
        if self._engine_s is not None and not self.engine_gone and not now_s - self._engine_s <= spec.silent_s:
            self._trip(f"no message from the engine for more than {spec.silent_s:.3f} s")
        waited = self._client_s is not None and not now_s - self._client_s <= spec.client_silent_s
        if waited and spec.attended and not self.client_gone:
            self._trip(f"no message from the client for more than {spec.client_silent_s:.3f} s")
        if self._engine_s is not None:
            self._check_required(now_s)

    def check_row(self, values: Floats, sampled_s: Floats, now_s: float) -> None:
        """Check one row: bench limits always (disarmed, 0 is inside), and required channels are known while armed."""
        limits = self.spec.limits
        values = values[: len(limits.low)]
        low = limits.low if self.armed else np.minimum(limits.low, -np.abs(limits.high))
        broken = (values < low) | (values > limits.high)
        if broken.any():
            n = find_first(broken, sampled_s[: len(broken)])
            self._trip(limits.sentence(n, float(values[n])))
        required = self.spec.required
        np.copyto(self._known_s, sampled_s[required], where=np.isfinite(values[required]))
        if self.armed:
            self._check_required(now_s)

    def on_ring_unreadable(self, why: str) -> None:
        """Trip while armed: a guard that cannot read the ring cannot protect the bench."""
        if self.armed:
            self._trip(f"the guard cannot read the ring: {why}")

    def on_sleep(self, slept_s: float) -> None:
        """Trip while armed: the computer slept for `slept_s`, and nothing guarded the bench meanwhile."""
        if self.armed:
            self._trip(suspend.sentence(slept_s))

    def reset(self) -> None:
        """Clear the cause; stay disarmed until the engine arms again."""
        self.cause, self.armed = "", False

    def _arm(self, now_s: float) -> None:
        self.armed = True
        self._known_s[:] = now_s
        if self._client_s is None:
            self._client_s = now_s
        if self.spec.attended and self.client_gone:
            self._trip("the run is attended, but the client ended before the guard was armed")

    def _check_required(self, now_s: float) -> None:
        """Trip on a required channel that is no longer known; a time in the future is as wrong as an old one."""
        known = np.abs(now_s - self._known_s) <= self.spec.lost_s
        if not known.all():
            n = int(known.argmin())
            name = self.spec.limits.channels[int(self.spec.required[n])].name
            self._trip(f"{name} is lost: not known for more than {self.spec.lost_s[n]:.3f} s")

    def _trip(self, reason: str) -> None:
        if not self.cause:
            self.cause = reason
            self.trip += 1
