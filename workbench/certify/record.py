"""The record of one case: its checks, which never stop it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from drivers.channel_names import CONTACTOR
from workbench.certificates.results import CaseCheck, Verdict
from workbench.certify.verdict import judge_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.certify.observations import ContactorReaction, Stimulus


class Record:
    """The record that a case fills through `rec`; `tell` gets each check at once. `zero_s()`: when the case began."""

    def __init__(self, tell: Callable[[CaseCheck], None], zero_s: Callable[[], float]) -> None:
        self.checks: list[CaseCheck] = []
        self._tell, self._zero_s = tell, zero_s

    def check(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        lo: float = -math.inf,
        hi: float = math.inf,
        uncertainty: float = 0.0,
        doubt: float = 0.0,
        at_s: float = math.nan,
        channel: str = "",
    ) -> Verdict:
        """Judge `value` +- `uncertainty` within `lo` to `hi`; store the check and continue, whatever the verdict.

        `doubt`: what the bench itself may have added to the value; above `hi` by no more than that, nothing is proven.
        `at_s` (monotonic) and `channel`: where the plots show it.
        """
        verdict, reason = judge_value(float(value), lo=lo, hi=hi, uncertainty=uncertainty, doubt=doubt)
        self._add(
            CaseCheck(
                name=name,
                value=_finite(float(value)),
                unit=unit,
                lo=_finite(lo),
                hi=_finite(hi),
                uncertainty=_finite(uncertainty),
                verdict=verdict,
                reason=reason,
                at_s=_finite(at_s - self._zero_s()),
                channel=channel,
            )
        )
        return verdict

    def reaction(
        self, name: str, stimulus: Stimulus, reaction: ContactorReaction | None, *, earliest_s: float, latest_s: float
    ) -> Verdict:
        """Check that the contact opened, and when: two checks; a bench too coarse for the time still sees it open."""
        at_s = stimulus.end_s if reaction is None else reaction.at_s
        opened = self.check("contactor opens", float(reaction is not None), "1", lo=1.0, at_s=at_s, channel=CONTACTOR)
        if reaction is None:
            return opened
        return self.check(
            name,
            1e3 * reaction.value_s,
            "ms",
            lo=1e3 * earliest_s,
            hi=1e3 * latest_s,
            uncertainty=1e3 * reaction.uncertainty_s,
            doubt=1e3 * reaction.late_s,
            at_s=at_s,
            channel=CONTACTOR,
        )

    def not_applicable(self, name: str, reason: str) -> None:
        """Record a check that this bench or this device cannot show."""
        self._add(CaseCheck(name, None, "1", None, None, 0.0, Verdict.NA, reason))

    def _add(self, check: CaseCheck) -> None:
        self.checks.append(check)
        self._tell(check)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
