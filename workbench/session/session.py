"""A bench as its operator sees it, without Qt: facts, a status, events, and actions that return at once.

The window's 30 Hz timer calls `Session.poll`, which drains messages and sends the heartbeat, so that a hung window
counts as dead. Everything is called from one thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from drivers.event import EventRecord
    from drivers.ring import RingReader
    from workbench.session.actions import Action, PendingAction
    from workbench.session.bench_info import BenchInfo
    from workbench.session.status import SessionStatus


class Session(Protocol):
    """A bench as its operator sees it. Actions return at once; `poll` moves their `PendingAction` on."""

    @property
    def bench(self) -> BenchInfo: ...

    @property
    def status(self) -> SessionStatus: ...

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

    def connect(self, *, take_over: bool = False) -> PendingAction:
        """`take_over`: take a supply that somebody else controls."""
        ...

    def disconnect(self) -> PendingAction: ...

    def arm(self) -> PendingAction:
        """Run the checklist, then arm; its lines appear in `SessionStatus.checklist`."""
        ...

    def disarm(self) -> PendingAction: ...

    def start(self) -> PendingAction: ...

    def stop(self) -> PendingAction: ...

    def outputs_off(self) -> PendingAction:
        """Straight to the guard; always possible."""
        ...

    def reset(self, reason: str) -> PendingAction:
        """Leave Tripped; the reason is recorded."""
        ...

    def activate(self, role: str, lane: str) -> PendingAction: ...

    def inject(self, fault: str, parameters: Mapping[str, float | str]) -> PendingAction: ...

    def clear(self, number: int) -> PendingAction: ...

    def close(self) -> None:
        """End everything that this session started; may take seconds, raises nothing."""
        ...
