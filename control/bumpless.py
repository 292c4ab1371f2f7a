"""Output stage of every controller: a change without a jump, the range that the pack allows, and a score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control.ports import Decision

if TYPE_CHECKING:
    from control.ports import CurrentRange

BLEND_A_S: Final = 100.0  # how fast the difference between two controllers fades


class BumplessOutput:
    """Output of a controller: it fades in from the present current, keeps the range, counts cost and violations.

    `cost`: mean over time of the squared `error`, in the controller's own unit (A between current and duty for all
    controllers with a duty). `violations`: decisions whose requested current broke the allowed range, or that found a
    limit of the controller broken. A decision over zero time counts for neither.
    """

    def __init__(self) -> None:
        self._present_a: float | None = None
        self._offset_a = 0.0
        self._squares = 0.0
        self._elapsed_s = 0.0
        self._violations = 0

    def take_over(self, current_a: float) -> None:
        self._present_a = current_a

    def current(self, requested_a: float, allowed: CurrentRange, dt_s: float) -> float:
        """Return `requested_a`, faded in and kept within `allowed`; NaN anywhere gives 0 A."""
        if self._present_a is not None:
            self._offset_a, self._present_a = self._present_a - requested_a, None
        fade_a = BLEND_A_S * dt_s
        self._offset_a -= max(-fade_a, min(fade_a, self._offset_a))
        return clamp(requested_a + self._offset_a, allowed)

    def decision(self, current_a: float, error: float, dt_s: float, *, broken: bool) -> Decision:
        """Return the decision for the next `dt_s`, with cost and violations so far."""
        self._elapsed_s += dt_s
        self._squares += error * error * dt_s
        self._violations += broken and dt_s > 0.0
        cost = self._squares / self._elapsed_s if self._elapsed_s > 0.0 else 0.0
        return Decision(current_a, cost, self._violations)


def clamp(current_a: float, allowed: CurrentRange) -> float:
    """Return `current_a` kept within `allowed`; a NaN, in the current or a bound, counts as 0 A."""
    charge_a = max(0.0, allowed.charge_a)  # in this order NaN gives 0
    discharge_a = max(0.0, allowed.discharge_a)
    if -charge_a <= current_a <= discharge_a:
        return current_a
    if current_a > discharge_a:
        return discharge_a
    return -charge_a if current_a < -charge_a else 0.0


def is_outside(current_a: float, allowed: CurrentRange) -> bool:
    """Whether a requested current is outside `allowed`."""
    return not -allowed.charge_a <= current_a <= allowed.discharge_a
