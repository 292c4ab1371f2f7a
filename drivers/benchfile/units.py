"""Units that a file may use for limits, each with its SI unit: SI = scale * number + offset."""

from __future__ import annotations

from typing import Final

_SI: Final[dict[str, tuple[str, float, float]]] = {
    "V": ("V", 1.0, 0.0),
    "mV": ("V", 1e-3, 0.0),
    "A": ("A", 1.0, 0.0),
    "mA": ("A", 1e-3, 0.0),
    "W": ("W", 1.0, 0.0),
    "K": ("K", 1.0, 0.0),
    "degC": ("K", 1.0, 273.15),
    "s": ("s", 1.0, 0.0),
    "ms": ("s", 1e-3, 0.0),
    "1": ("1", 1.0, 0.0),
    "%": ("1", 1e-2, 0.0),
}


def si_unit(unit: str) -> str:
    """Return the SI unit of `unit`; raise `KeyError` for an unknown one."""
    return _SI[unit][0]


def to_si(number: float, unit: str) -> float:
    """Return `number` of `unit` in its SI unit."""
    _, scale, offset = _SI[unit]
    return scale * number + offset
