"""Small plots of a case as SVG text: one strip per channel with its limits and the times of its checks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.certificates.results import CaseCheck
    from workbench.certify.case_trace import CaseTrace

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 120, 64, 12, 16, 20
TICKS: Final = 3


@dataclass(frozen=True)
class PlotStrip:
    """One drawn channel: `points` of its polylines, level lines and instants in pixels, labels of its axis."""

    channel: str
    unit: str
    lines: list[str]
    levels: list[tuple[float, str]]
    instants: list[tuple[float, str]]
    y_labels: list[tuple[float, str]]
    x_labels: list[tuple[float, str]]


def make_strips(traces: Sequence[CaseTrace], checks: Sequence[CaseCheck]) -> list[PlotStrip]:
    """Return the plots of the traces of one case, with limits and times of its checks."""
    return [_make_strip(trace, checks) for trace in traces if len(trace.t_s) > 1]


def _make_strip(trace: CaseTrace, checks: Sequence[CaseCheck]) -> PlotStrip:
    own = [check for check in checks if check.channel == trace.channel]
    matching = [check for check in own if check.unit == trace.unit and not check.is_question]
    bounds = [bound for check in matching for bound in (check.lo, check.hi)]
    levels = sorted({bound for bound in (*bounds, trace.bound) if bound is not None})
    known = [y for y in trace.values if y is not None] + levels
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    margin = 0.08 * (high - low) or 0.5
    low, high = low - margin, high + margin
    first, last = trace.t_s[0], trace.t_s[-1]

    def x(t_s: float) -> float:
        return LEFT + (t_s - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)

    instants = [(x(check.at_s), check.name) for check in own if check.at_s is not None]
    if trace.crossed_s is not None:
        instants.append((x(trace.crossed_s), "limit crossed"))
    return PlotStrip(
        channel=trace.channel,
        unit=trace.unit,
        lines=_make_lines(trace, x, y),
        levels=[(y(level), f"{level:g} {trace.unit}".removesuffix(" 1")) for level in levels],
        instants=[(at, name) for at, name in instants if LEFT <= at <= WIDTH - RIGHT],
        y_labels=[(y(value), f"{value:.4g}") for value in _make_ticks(low + margin, high - margin)],
        x_labels=[(x(t_s), f"{abs(t_s):.2f} s") for t_s in _make_ticks(first, last)],
    )


def _make_lines(trace: CaseTrace, x: Callable[[float], float], y: Callable[[float], float]) -> list[str]:
    """Return the points of one polyline for each part without gaps."""
    stretches: list[list[str]] = [[]]
    for t_s, value in zip(trace.t_s, trace.values, strict=True):
        if value is None:
            stretches.append([])
        else:
            stretches[-1].append(f"{x(t_s):.1f},{y(value):.1f}")
    return [" ".join(points) for points in stretches if points]


def _make_ticks(low: float, high: float) -> list[float]:
    if not math.isfinite(high - low) or high <= low:
        return [low]
    return [low + (high - low) * part / (TICKS - 1) for part in range(TICKS)]
