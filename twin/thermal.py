"""One lumped temperature per cell, the same for every twin; it accepts floats, arrays and symbols."""

from __future__ import annotations

from typing import Any


def step_temperature(kelvin: Any, settled_k: Any, ratio: Any) -> Any:
    """Return the temperature (K) after a step of `ratio` time constants towards `settled_k`; implicit, always stable.

    A cell with heat `heat_w` settles at `ambient_k + heat_w / cooling_w_k`, and its time constant is
    `heat_capacity_j_k / cooling_w_k`.
    """
    return (kelvin + ratio * settled_k) / (1.0 + ratio)
