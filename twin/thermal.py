"""One lumped temperature per cell, the same for every twin; written so that floats, arrays and symbols all fit."""

from __future__ import annotations

from typing import Any


def step_temperature(kelvin: Any, settled_k: Any, ratio: Any) -> Any:
    """Temperature (K) on its way to `settled_k` after a step of `ratio` time constants; implicit, stable at any step.

    A cell with `heat_w` inside settles at `ambient_k + heat_w / cooling_w_k`, and its time constant is
    `heat_capacity_j_k / cooling_w_k`.
    """
    return (kelvin + ratio * settled_k) / (1.0 + ratio)
