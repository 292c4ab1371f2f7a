"""The trace of one channel over a case, for its plots."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CaseTrace:
    """One trace: `t_s` from the start of the case, `values` in `unit`; None where the value was unknown.

    `bound`: the limit that was crossed at `crossed_s`; both None where no limit was crossed.
    """

    channel: str
    unit: str
    t_s: tuple[float, ...]
    values: tuple[float | None, ...]
    bound: float | None = None
    crossed_s: float | None = None
