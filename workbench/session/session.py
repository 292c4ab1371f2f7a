"""The interface of a session, without Qt: bench information, a status, events, and actions that return at once.

The window's 30 Hz timer calls `Session.poll`, which drains messages and sends the heartbeat, so that a hung window
counts as dead. Call everything from one thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from drivers.event import EventRecord
    from drivers.ring import RingReader
    from workbench.session.actions import Action, Failure, PendingAction
    from workbench.session.bench_info import BenchInfo
    from workbench.session.status import SessionStatus


class Session(Protocol):
    """A bench as its operator uses it. Actions return at once; `poll` updates their `PendingAction`."""

    @property
    def bench(self) -> BenchInfo: ...

    @property
    def bench_error(self) -> Failure | None:
        """Why the bench file cannot be used; None while it is read, and if it can."""
        ...

    @property
    def status(self) -> SessionStatus: ...

    @property
    def ring(self) -> RingReader | None:
        """The ring of ticks, once an engine writes it; a new object after each connect."""
        ...

    @property
    def acknowledged(self) -> AbstractSet[int]:
        """Numbers of the acknowledged events."""
        ...

    def poll(self) -> None:
        """Drain messages, send the heartbeat; never blocks."""
        ...

    def events(self, since: int) -> Sequence[EventRecord]:
        """Return the events whose number is `since` or more, oldest first; numbers count up from 0."""
        ...

    def acknowledge(self, numbers: Sequence[int]) -> None: ...

    def can(self, action: Action) -> tuple[bool, str]:
        """Return whether `action` is allowed now, and if not, a sentence that gives the reason."""
        ...

    def connect(self, *, take_over: bool = False) -> PendingAction:
        """Connect the bench; `take_over`: take over a supply that another client controls."""
        ...

    def disconnect(self) -> PendingAction: ...

    def arm(self) -> PendingAction:
        """Run the checklist, then arm; its lines appear in `SessionStatus.checklist`."""
        ...

    def disarm(self) -> PendingAction: ...

    def start(self) -> PendingAction: ...

    def stop(self) -> PendingAction: ...

    def outputs_off(self) -> PendingAction:
        """Send OUTPUTS OFF directly to the guard; this is always possible."""
        ...

    def reset(self, reason: str) -> PendingAction:
        """Leave Tripped; record the reason."""
        ...

    def activate(self, role: str, lane: str) -> PendingAction: ...

    def inject(self, fault: str, parameters: Mapping[str, float | str]) -> PendingAction: ...

    def clear(self, number: int) -> PendingAction: ...

    def close(self) -> None:
        """End everything that this session started; this may take seconds and raises nothing."""
        ...
