"""What closing the window would end: the sentences of the question that it asks first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control.state import BenchState, OutputState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.session.actions import PendingAction
    from workbench.session.status import SessionStatus

VERIFIED_OFF: Final = (OutputState.DE_ENERGISED, OutputState.TRIPPED)
CERTIFYING: Final = "The certification is stopped first, and its bench made safe."
_LIVE: Final = {
    BenchState.ARMED: "The bench is armed. The outputs are made safe first.",
    BenchState.RUNNING: "The bench is running. The outputs are made safe first, and the run ends.",
}
_NOT_VERIFIED: Final = "The outputs are not verified off: they read {}."
_TRIPPED: Final = "The bench has tripped, and the outputs are not verified off: they read {}."


def list_live_work(
    status: SessionStatus,
    pending: Sequence[PendingAction],
    background: str,
    *,
    was_connected: bool,
    certifying: bool,
) -> list[str]:
    """Return a sentence for each thing that is live; empty if the window may close at once.

    `background`: what closing does to a task, as a sentence. `was_connected`: this session has reached the bench, so
    that an output may be on even if the engine has ended.
    """
    found = [_LIVE[status.state]] if status.state in _LIVE else []
    if not found and was_connected and status.output not in VERIFIED_OFF:
        sentence = _TRIPPED if status.state is BenchState.TRIPPED else _NOT_VERIFIED
        found.append(sentence.format(status.output.value))
    found += [f"{work.title} is under way." for work in pending if work.action is not None and not work.done][:1]
    if certifying:
        found.append(CERTIFYING)
    if background:
        found.append(background)
    return found
