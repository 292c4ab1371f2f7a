"""The trace of one channel over a case, as its plots show it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CaseTrace:
    """`t_s` from the start of the case, and `values` in `unit`; None where the value was not known.

    `bound`: the limit that was crossed, at `crossed_s`; None where none was.
    """

    channel: str
    unit: str
    t_s: tuple[float, ...]
    values: tuple[float | None, ...]
    bound: float | None = None
    crossed_s: float | None = None
