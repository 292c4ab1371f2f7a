"""What the guard decides: bench limits, lost knowledge, silent or dead peers, and whoever asks for off. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from control.guard_messages import ARMED, BYE, DISARMED, OFF, QUIT, TRIP, decode
from drivers import suspend

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from control.gate import BenchLimits
    from drivers.safe_commands import SafeConnection
    from drivers.snapshot import Columns, Floats

CONTACTORS_OPEN: Final = "contactors open"  # the step that a contact may verify


class SafeCommandStep(Protocol):
    """One step of a last word, and how long it may take."""

    @property
    def name(self) -> str: ...
    @property
    def within_s(self) -> float: ...


class SafeCommands(Protocol):
    """A last word that travels to the guard's process and is opened there (`drivers.safe_commands`)."""

    @property
    def steps(self) -> Sequence[SafeCommandStep]: ...
    def open(self) -> SafeConnection: ...


@dataclass(frozen=True)
class GuardConfig:
    """What a guard is told once, before anything is live.

    `limits` run over the measured columns of the ring at `ring`; `required` columns may stay unknown for `lost_s[n]`.
    `attended`: the client's death ends the run. `safe_commands` in the declared order. `report`: JSON lines of its own.
    With nobody left to tell, an unverified sequence is repeated for `orphan_s`. `contact`: the column of the
    contactor's own contact, which verifies "open" where an unpowered device under test cannot; None without one.
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
    """What the guard knows of its peers and of the bench; `cause` latches the first reason to speak.

    `trip` counts the causes: what was verified is verified of one trip. `offs`: numbers of the OUTPUTS OFF that wait
    for what was verified. Not known to be disarmed counts as armed. A peer's silence counts from its first byte on, or
    from arming; its end always.
    """

    spec: GuardConfig
    cause: str = ""
    trip: int = 0
    offs: list[int] = field(default_factory=list[int])
    armed: bool = True
    engine_left: bool = False
    client_left: bool = False
    _engine_s: float | None = None
    _client_s: float | None = None
    _orderly: bool = False
    _known_s: Floats = field(init=False)

    def __post_init__(self) -> None:
        self._known_s = np.full(len(self.spec.required), np.nan)  # counts from the engine's first byte on

    def on_engine_message(self, message: bytes, now_s: float) -> None:
        """A message of the engine; a reset belongs to the process, which knows whether off is verified."""
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
        """A message of the window or the command line."""
        self._client_s = now_s
        if message[:1] == OFF:
            self.offs.append(decode(message).number)
            self._trip("OUTPUTS OFF was pressed")
        elif message == BYE and not self.armed:
            self.client_left = True

    @property
    def left_in_order(self) -> bool:
        """Both have gone, the engine after it had taken everything down and verified that."""
        return self.engine_left and self.client_left and self._orderly

    def on_engine_closed(self) -> None:
        """The engine's pipe has closed."""
        self.engine_left = True
        if not self._orderly:
            self._trip("engine has died")

    def on_client_closed(self) -> None:
        """The client's pipe has closed."""
        orderly, self.client_left = self.client_left, True
        if self.spec.attended and self.armed and not orderly:
            self._trip("window has gone in an attended run")

    def check_timeouts(self, now_s: float) -> None:
        """Judge, while armed, who has been heard last and what has been known last."""
        if not self.armed or self.cause:
            return
        spec = self.spec
        if self._engine_s is not None and not self.engine_left and not now_s - self._engine_s <= spec.silent_s:
            self._trip(f"engine is silent for more than {spec.silent_s:.3f} s")
        waited = self._client_s is not None and not now_s - self._client_s <= spec.client_silent_s
        if waited and spec.attended and not self.client_left:
            self._trip(f"window is silent for more than {spec.client_silent_s:.3f} s")
        if self._engine_s is not None:
            self._check_required(now_s)

    def check_row(self, values: Floats, sampled_s: Floats, now_s: float) -> None:
        """Judge one row: bench limits always (at rest 0 is inside), knowledge of required channels while armed."""
        limits = self.spec.limits
        values = values[: len(limits.low)]
        low = limits.low if self.armed else np.minimum(limits.low, -np.abs(limits.high))
        broken = (values < low) | (values > limits.high)
        if broken.any():
            n = int(broken.argmax())
            self._trip(limits.sentence(n, float(values[n])))
        required = self.spec.required
        np.copyto(self._known_s, sampled_s[required], where=np.isfinite(values[required]))
        if self.armed:
            self._check_required(now_s)

    def on_ring_unreadable(self, why: str) -> None:
        """The ring cannot be read: a guard that sees nothing guards nothing."""
        if self.armed:
            self._trip(f"guard is blind: {why}")

    def on_sleep(self, slept_s: float) -> None:
        """The computer has slept, and nobody was guarded meanwhile."""
        if self.armed:
            self._trip(suspend.sentence(slept_s))

    def reset(self) -> None:
        """Forget the cause; stays disarmed until the engine arms again."""
        self.cause, self.armed = "", False

    def _arm(self, now_s: float) -> None:
        self.armed = True
        self._known_s[:] = now_s
        if self._client_s is None:
            self._client_s = now_s
        if self.spec.attended and self.client_left:
            self._trip("nobody attends this run: the window has gone before it was armed")

    def _check_required(self, now_s: float) -> None:
        """Trip for a required channel that is not known any more; a time from the future is as wrong as an old one."""
        known = np.abs(now_s - self._known_s) <= self.spec.lost_s
        if not known.all():
            n = int(known.argmin())
            name = self.spec.limits.channels[int(self.spec.required[n])].name
            self._trip(f"{name} is lost: not known for more than {self.spec.lost_s[n]:.3f} s")

    def _trip(self, reason: str) -> None:
        if not self.cause:
            self.cause = reason
            self.trip += 1
