"""A controller that follows the duty of a file, as far as the pack allows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control.bumpless import BumplessOutput, is_outside
from control.current_profile import CurrentProfile, read_current_profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control.ports import Controller, CurrentRange, Decision
    from drivers.snapshot import Estimate, PackReading
    from twin.ports import PackSpec


SETTINGS: Final = ("file", "repeat")  # that a bench file may give


class ProfileController:
    """Follows a duty from its start; each decision advances its time."""

    def __init__(self, profile: CurrentProfile) -> None:
        self._profile = profile
        self._t_s = 0.0
        self._output = BumplessOutput()

    def decide(self, reading: PackReading, estimate: Estimate, allowed: CurrentRange, dt_s: float) -> Decision:
        del reading, estimate  # it follows the duty, whatever is measured
        requested_a = self._profile.now(self._t_s)
        self._t_s += dt_s
        current_a = self._output.current(requested_a, allowed, dt_s)
        return self._output.decision(current_a, current_a - requested_a, dt_s, broken=is_outside(requested_a, allowed))

    def take_over(self, current_a: float) -> None:
        self._output.take_over(current_a)


def build(pack: PackSpec, settings: Mapping[str, Any]) -> Controller:
    """Build the controller; settings: `file` (the duty), `repeat` (default true; otherwise 0 A from its end on)."""
    return ProfileController(read_current_profile(settings, pack.element_ah))
