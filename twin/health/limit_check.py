"""Extremes of a log beside the limits of its cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twin.health.log_segments import LogSamples

TOLERANCE: Final = {"V": 0.005, "A": 0.01, "K": 1.0}  # what a cycler resolves or overshoots


@dataclass(frozen=True)
class LimitCheck:
    """An extreme `value` of a log and its `limit`, in `unit` (V, A or K).

    `is_met`: the value is within the limit, or beyond it by no more than the `TOLERANCE` of a cycler.
    """

    log: str
    quantity: str
    value: float
    limit: float
    unit: str
    is_met: bool


@dataclass(frozen=True)
class LimitsOfCell:
    """What a cell bears: V, K, and A (magnitudes)."""

    low_v: float
    high_v: float
    low_k: float
    high_k: float
    charge_a: float
    discharge_a: float


def check_limits(log: LogSamples, limits: LimitsOfCell | None) -> tuple[list[LimitCheck], list[str]]:
    """Return each extreme beside its limit, and sentences about what is not judged."""
    if limits is None:
        return [], [f"{log.name}: no limit is judged without a cell: name the cell (--cell)"]
    ranges: list[tuple[str, Sequence[float], float, str]] = [
        ("highest voltage", log.voltage_v.tolist(), limits.high_v, "V"),
        ("lowest voltage", log.voltage_v.tolist(), limits.low_v, "V"),
        ("discharge current", log.current_a.tolist(), limits.discharge_a, "A"),
        ("charge current", (-log.current_a).tolist(), limits.charge_a, "A"),
    ]
    gaps: list[str] = []
    if log.kelvin is None:
        gaps.append(f"{log.name}: no limit of temperature: the log has no temperature")
    else:
        ranges += [
            ("highest temperature", log.kelvin.tolist(), limits.high_k, "K"),
            ("lowest temperature", log.kelvin.tolist(), limits.low_k, "K"),
        ]
    return [_check(log.name, *one) for one in ranges], gaps


def _check(log: str, quantity: str, values: Sequence[float], limit: float, unit: str) -> LimitCheck:
    is_low = quantity in {"lowest voltage", "lowest temperature"}
    value = min(values) if is_low else max(values)
    value = max(0.0, value) if unit == "A" else value
    return LimitCheck(
        log, quantity, value, limit, unit, (limit - value if is_low else value - limit) <= TOLERANCE[unit]
    )
