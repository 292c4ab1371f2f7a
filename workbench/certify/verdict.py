"""A check and its verdict; what uncertainty does to it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Verdict(StrEnum):
    """What is known after a check or a case; `NA` says that the bench cannot judge, and why."""

    PASS = "PASS"  # noqa: S105  # a verdict
    FAIL = "FAIL"
    ERROR = "ERROR"  # the bench's or the script's fault, nothing is known of the device
    BLOCKED = "BLOCKED"  # a precondition did not hold
    NA = "N/A"


ORDER: Final = (Verdict.FAIL, Verdict.ERROR, Verdict.BLOCKED, Verdict.PASS, Verdict.NA)


@dataclass(frozen=True, slots=True)
class Check:
    """One judged value in `unit` with its limits (infinite: none) and `uncertainty` (half-width); `at_s` in the case.

    `channel` is what a plot of it shows.
    """

    name: str
    value: float
    unit: str
    lo: float
    hi: float
    uncertainty: float
    verdict: Verdict
    reason: str = ""
    at_s: float = math.nan
    channel: str = ""

    def as_json(self) -> dict[str, Any]:
        """JSON knows neither NaN nor infinity: both read as null."""
        plain = {key: None if _odd(value) else value for key, value in asdict(self).items()}
        return plain | {"verdict": self.verdict.value}


def is_question(check: Mapping[str, Any]) -> bool:
    """Whether a check, as in JSON, asks for yes (no less than 1) or no (no more than 0)."""
    return check["unit"] == "1" and (check["lo"], check["hi"]) in {(1.0, None), (None, 0.0)}


def judged(value: float, *, lo: float, hi: float, uncertainty: float, doubt: float = 0.0) -> tuple[Verdict, str]:
    """Guarded rejection: FAIL only where the whole interval value +- uncertainty lies outside (ILAC-G8:09/2019, 4.2.3).

    N/A where the interval is wider than what is allowed: a bench that coarse would pass anything. ERROR where it lies
    above by no more than `doubt`, which is what the bench itself may have added; what is too low it cannot excuse.
    """
    if not math.isfinite(value):
        return Verdict.FAIL, "nothing was measured"
    width = hi - lo if math.isfinite(hi - lo) else abs(hi if math.isfinite(hi) else lo)
    if 2.0 * uncertainty > width > 0.0:
        return Verdict.NA, f"the bench tells it to +-{uncertainty:.3g}, too coarse for limits {width:.3g} apart"
    if lo <= value + uncertainty and value - uncertainty <= hi:
        return Verdict.PASS, ""
    if value > hi and value - uncertainty - doubt <= hi:
        return Verdict.ERROR, f"above by less than the {doubt:.3g} that a busy machine may have added; run it again"
    return Verdict.FAIL, "not equal" if lo == hi else "below its limit" if value < lo else "above its limit"


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a whole: a proven failure first; N/A only where nothing was judged."""
    return min(verdicts, key=ORDER.index, default=Verdict.NA)


def _odd(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
