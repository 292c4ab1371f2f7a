"""The OUTPUTS OFF requests of a session: who received each within 200 ms, and what was verified."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from control.state import OutputState
from drivers.event import DETAIL, KIND, Event, EventKind, Level
from workbench.session.actions import Action, Failure, PendingAction

if TYPE_CHECKING:
    from collections.abc import Callable

    from control.guard_reports import TripReport

RECEIVED_S: Final = 0.2
VERIFIED_S: Final = 20.0  # longer than the safe sequences of engine and guard need to fail, once a bench exists
HARD_WIRED: Final = "Use the hard-wired emergency stop."
NOT_VERIFIED: Final = Failure("Outputs are not verified off.", HARD_WIRED)
GUARD, ENGINE = "guard", "engine"
PEERS: Final = (GUARD, ENGINE)


@dataclass(slots=True)
class PendingOff(PendingAction):
    """OUTPUTS OFF in progress; `received_s`: the monotonic time of receipt of each of `PEERS` that received it."""

    title: str = "Outputs off"
    action: Action | None = Action.OUTPUTS_OFF
    received_s: dict[str, float] = field(default_factory=dict[str, float])


@dataclass
class OutputsOffRequest:
    """One press of OUTPUTS OFF; `failures`: the result of each peer that has answered."""

    number: int
    pressed_s: float
    pending: PendingOff
    failures: dict[str, Failure | None] = field(default_factory=dict[str, "Failure | None"])
    judged: bool = False

    def words(self) -> str:
        """Return which peers have received it, and after how long."""
        parts = [
            f"{peer} after {1e3 * (at_s - self.pressed_s):.0f} ms" for peer, at_s in self.pending.received_s.items()
        ]
        return f"received by the {' and the '.join(parts)}" if parts else "not acknowledged"

    def in_time(self, peer: str) -> bool:
        return self.pending.received_s.get(peer, float("inf")) - self.pressed_s <= RECEIVED_S


class OutputsOffRequests:
    """The presses in progress; `tell` records an event."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self._tell = tell
        self._presses: list[OutputsOffRequest] = []
        self._connecting_s = float("-inf")

    def add(self, number: int, pressed_s: float, pending: PendingOff) -> None:
        """Add a press that was just sent to guard and engine."""
        self._presses.append(OutputsOffRequest(number, pressed_s, pending))

    def receive(self, peer: str, number: int, at_s: float) -> None:
        """Note that `peer` received the press `number` at `at_s`."""
        for press in self._presses:
            if press.number == number:
                press.pending.received_s.setdefault(peer, at_s)
                press.pending.sentence = press.words()

    def take_report(self, report: TripReport) -> None:
        """Note what the guard verified, for each press that its report answers."""
        for number in report.offs:
            self.verify(GUARD, number, None if report.is_safe else NOT_VERIFIED)

    def verify(self, peer: str, number: int, failure: Failure | None) -> None:
        """Note that `peer` has verified off (`failure` is None) or has failed to."""
        for press in self._presses:
            if press.number == number:
                press.failures[peer] = failure

    def settle(self, output: OutputState) -> None:
        """Complete every press if the bench was closed with every output read back off; `output`: that read-back."""
        if output is OutputState.DE_ENERGISED:
            for press in self._presses:
                press.failures[ENGINE] = None

    def watch(self, now_s: float, *, alone: bool, connecting: bool) -> None:
        """Judge the receipt of each press once its time is over, and whether the press is done.

        `alone`: the engine has ended. `connecting`: the bench is still being built; off follows once it is.
        """
        self._connecting_s = now_s if connecting else self._connecting_s
        for press in tuple(self._presses):
            if not press.judged and now_s - press.pressed_s > RECEIVED_S:
                self._judge_receipt(press, alone=alone)
            if not press.pending.done:
                self._judge_off(press, now_s, alone=alone)
            if press.judged and press.pending.done:
                self._presses.remove(press)

    def _judge_receipt(self, press: OutputsOffRequest, *, alone: bool) -> None:
        press.judged = True
        late = [peer for peer in PEERS if not press.in_time(peer) and not (alone and peer == ENGINE)]
        if not late:
            return
        sentence = f"OUTPUTS OFF is not acknowledged by the {' nor the '.join(late)} within {1e3 * RECEIVED_S:.0f} ms"
        press.pending.sentence = f"{sentence}; {press.words()}" if press.pending.received_s else sentence
        nobody = len(late) == len(PEERS) or (alone and late)
        detail = HARD_WIRED if nobody else press.words()
        data = {KIND: EventKind.OFF_NOT_ACKNOWLEDGED, DETAIL: detail, **dict.fromkeys(late, 1)}
        self._tell(Event(Level.ALARM if nobody else Level.WARNING, "outputs off", sentence, data))

    def _judge_off(self, press: OutputsOffRequest, now_s: float, *, alone: bool) -> None:
        """Complete a press: one peer that verified off is enough; it fails if all failed or the time is over."""
        answers = press.failures
        if None in answers.values():
            press.pending.done = True
        elif (
            len(answers) == len(PEERS)
            or (alone and GUARD in answers)
            or now_s - max(press.pressed_s, self._connecting_s) > VERIFIED_S
        ):
            failure = next((failure for failure in answers.values() if failure), NOT_VERIFIED)
            press.pending.error, press.pending.done = failure, True
