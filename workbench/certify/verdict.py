"""The verdict on a value: what uncertainty does to it, and what many verdicts come to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from workbench.certificates.results import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

ORDER: Final = (Verdict.FAIL, Verdict.ERROR, Verdict.BLOCKED, Verdict.NA, Verdict.PASS)


def judge_value(value: float, *, lo: float, hi: float, uncertainty: float, doubt: float = 0.0) -> tuple[Verdict, str]:
    """Guarded rejection: FAIL only where the whole interval value +- uncertainty lies outside (ILAC-G8:09/2019, 4.2.3).

    However wide it is: what lies beyond a limit with all its uncertainty is proven. One that overlaps what is allowed
    is N/A where it is wider than that, since a bench that coarse would pass anything, else PASS. ERROR where it lies
    above by no more than `doubt`, which is what the bench itself may have added (what is too low it cannot excuse), and
    where limits or uncertainty make no sense, which is the script's mistake.
    """
    if mistake := find_mistake(lo, hi, uncertainty, doubt):
        return Verdict.ERROR, f"the script's mistake: {mistake}"
    if not math.isfinite(value):
        return Verdict.FAIL, "nothing was measured"
    if not value - uncertainty <= hi or not lo <= value + uncertainty:
        return _outside(value, lo, hi, value - uncertainty - doubt <= hi, doubt)
    if _is_coarse(lo, hi, uncertainty):
        apart = _measure_width(lo, hi)
        return Verdict.NA, f"the bench tells it to +-{uncertainty:.3g}, too coarse for limits {apart:.3g} apart"
    return Verdict.PASS, ""


def _outside(value: float, lo: float, hi: float, excused: bool, doubt: float) -> tuple[Verdict, str]:  # noqa: FBT001
    """The verdict on an interval of which nothing lies within; `excused`: it might without the `doubt`."""
    if value > hi and excused:
        return Verdict.ERROR, f"above by less than the {doubt:.3g} that a busy machine may have added; run it again"
    return Verdict.FAIL, "not equal" if lo == hi else "below its limit" if value < lo else "above its limit"


def find_mistake(lo: float, hi: float, uncertainty: float, doubt: float) -> str:
    """What no value could be judged by, in words; empty where all makes sense."""
    if math.isnan(lo) or math.isnan(hi):
        return f"limits {lo:g} to {hi:g}: one is no number"
    if lo > hi or lo == math.inf or hi == -math.inf:
        return f"limits {lo:g} to {hi:g} allow no value; give the lower one as lo, the upper one as hi"
    if not uncertainty >= 0.0:
        return f"an uncertainty of {uncertainty:g}; give half the width of the interval, 0 or more"
    return "" if doubt >= 0.0 else f"a doubt of {doubt:g}; give 0 or more"


def find_worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a whole: a proven failure first; PASS only where everything was judged, N/A where nothing was."""
    return min(verdicts, key=ORDER.index, default=Verdict.NA)


def _measure_width(lo: float, hi: float) -> float:
    """How far limits lie apart; a single one counts from zero, so that a bench can be too coarse for it as well."""
    return hi - lo if math.isfinite(hi - lo) else abs(hi if math.isfinite(hi) else lo)


def _is_coarse(lo: float, hi: float, uncertainty: float) -> bool:
    """Whether value +- uncertainty is wider than what is allowed."""
    both = math.isfinite(lo) and math.isfinite(hi)
    return 2.0 * uncertainty > _measure_width(lo, hi) and (both or _measure_width(lo, hi) > 0.0)
