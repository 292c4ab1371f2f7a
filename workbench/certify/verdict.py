"""The verdict on a value with its uncertainty, and the verdict of many verdicts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from workbench.certificates.results import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

ORDER: Final = (Verdict.FAIL, Verdict.ERROR, Verdict.BLOCKED, Verdict.NA, Verdict.PASS)


def judge_value(value: float, *, lo: float, hi: float, uncertainty: float, doubt: float = 0.0) -> tuple[Verdict, str]:
    """Judge by guarded rejection (ILAC-G8:09/2019, 4.2.3): FAIL only where all of value +- uncertainty lies outside.

    This holds however wide the interval is: an interval completely beyond a limit proves the failure. An interval that
    overlaps the allowed range is N/A where it is wider than that range, since so coarse a bench would pass anything,
    else PASS. ERROR where it lies above by no more than `doubt`, which the bench itself may have added (this cannot
    excuse a value that is too low), and where limits or uncertainty make no sense, which is the script's mistake.
    """
    if mistake := find_mistake(lo, hi, uncertainty, doubt):
        return Verdict.ERROR, f"error in the script: {mistake}"
    if not math.isfinite(value):
        return Verdict.FAIL, "nothing was measured"
    if not value - uncertainty <= hi or not lo <= value + uncertainty:
        return _outside(value, lo, hi, value - uncertainty - doubt <= hi, doubt)
    if _is_coarse(lo, hi, uncertainty):
        width = _measure_width(lo, hi)
        return (
            Verdict.NA,
            f"the bench measures it to +-{uncertainty:.3g}, too coarse for limits that are {width:.3g} apart",
        )
    return Verdict.PASS, ""


def _outside(value: float, lo: float, hi: float, may_be_inside: bool, doubt: float) -> tuple[Verdict, str]:  # noqa: FBT001  # private, and called once
    """Return the verdict on an interval fully outside; `may_be_inside`: without the `doubt` it might lie inside."""
    if value > hi and may_be_inside:
        return (
            Verdict.ERROR,
            f"above its limit by less than the {doubt:.3g} that this machine may have added; run it again",
        )
    return Verdict.FAIL, "not equal" if lo == hi else "below its limit" if value < lo else "above its limit"


def find_mistake(lo: float, hi: float, uncertainty: float, doubt: float) -> str:
    """Return in words why these limits can judge no value; empty where they make sense."""
    if math.isnan(lo) or math.isnan(hi):
        return f"limits {lo:g} to {hi:g}: one is not a number"
    if lo > hi or lo == math.inf or hi == -math.inf:
        return f"limits {lo:g} to {hi:g} allow no value; give the lower one as lo, the upper one as hi"
    if not uncertainty >= 0.0:
        return f"an uncertainty of {uncertainty:g}; give half the width of the interval, 0 or more"
    return "" if doubt >= 0.0 else f"a doubt of {doubt:g}; give 0 or more"


def find_worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict: a proven failure first; PASS only where all is judged, N/A where there is none."""
    return min(verdicts, key=ORDER.index, default=Verdict.NA)


def _measure_width(lo: float, hi: float) -> float:
    """Return the width of the limits; count a single one from zero, so that a bench can be too coarse for it too."""
    return hi - lo if math.isfinite(hi - lo) else abs(hi if math.isfinite(hi) else lo)


def _is_coarse(lo: float, hi: float, uncertainty: float) -> bool:
    """Return whether value +- uncertainty is wider than the allowed range."""
    both = math.isfinite(lo) and math.isfinite(hi)
    return 2.0 * uncertainty > _measure_width(lo, hi) and (both or _measure_width(lo, hi) > 0.0)
