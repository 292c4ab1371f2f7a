"""A reaction time against its bound, and the part of it that the machine itself may have caused."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from workbench import jitter
from workbench.selftest.latency_probe import LatencyProbe
from workbench.selftest.step import StepFinding

if TYPE_CHECKING:
    from workbench.selftest.latency_probe import MachineLateness

BEFORE_S: Final = 0.1  # a stall that began before the stimulus delays the reaction too


@dataclass
class Reaction:
    """A reaction to a stimulus at `since_s`; create it before, so that it measures the machine's lateness too."""

    since_s: float = float("nan")
    probe: LatencyProbe = field(default_factory=LatencyProbe)

    def judge(self, until_s: float, within_ms: float, target: str, text: str, *, good: bool = True) -> StepFinding:
        """Return the finding for a reaction at `until_s`; `good`: whether everything else is right.

        Do not judge it, and give the reason, where stalls of the machine may have made it late.
        """
        took_ms = 1e3 * (until_s - self.since_s)
        own_ms = self.find_own_ms(self.since_s, until_s)
        in_time = jitter.is_within(took_ms, within_ms, own_ms) if took_ms >= 0.0 else False
        ok = in_time if good else False
        reason = f"took {took_ms:.0f} ms; the machine itself stopped for {own_ms:.0f} ms" if ok is None else ""
        return StepFinding(ok, took_ms, "ms", target, text, reason)

    def find_own_ms(self, since_s: float, until_s: float) -> float:
        """Return for how long (ms) the machine itself stopped at most between two times; this ends the measurement."""
        return self._machine.select(since_s - BEFORE_S, until_s).late_ms(100)

    @cached_property
    def _machine(self) -> MachineLateness:
        return self.probe.finish()
