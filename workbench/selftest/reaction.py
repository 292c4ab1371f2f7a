"""A reaction time against its bound, and how much of it the machine itself accounts for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from workbench import jitter
from workbench.selftest.latency_probe import LatencyProbe
from workbench.selftest.step import StepFinding

BEFORE_S: Final = 0.1  # a stall that began before what is reacted to delays the reaction too


@dataclass
class Reaction:
    """Begun before what is reacted to at `since_s`: the machine's own lateness is measured beside it."""

    since_s: float = float("nan")
    probe: LatencyProbe = field(default_factory=LatencyProbe)

    def judge(self, until_s: float, within_ms: float, target: str, said: str, *, good: bool = True) -> StepFinding:
        """The finding for what happened at `until_s`; `good`: the rest of it is right.

        Not judged, with the reason, where stalls of the machine may have made it late.
        """
        took_ms = 1e3 * (until_s - self.since_s)
        own_ms = self.probe.finish().select(self.since_s - BEFORE_S, until_s).late_ms(100)
        in_time = jitter.is_within(took_ms, within_ms, own_ms) if took_ms >= 0.0 else False
        ok = in_time if good else False
        reason = f"took {took_ms:.0f} ms; the machine itself stood still for {own_ms:.0f} ms" if ok is None else ""
        return StepFinding(ok, took_ms, "ms", target, said, reason)
