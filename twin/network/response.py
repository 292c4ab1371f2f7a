"""What a sampled current does inside the circuit: low-passed currents, and the rise of the core (numba)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from drivers.benchfile.network_section import PAIRS
from twin.numba_kernel import kernel

if TYPE_CHECKING:
    from drivers.snapshot import Floats

HYSTERESIS_SOC = 0.05  # of the capacity, over which most of the hysteresis turns


@kernel
def find_weights(nodes: Floats, value: float) -> tuple[int, float]:
    """Return the left node and the share of the right one; the outer nodes hold outside."""
    last = nodes.shape[0] - 1
    if last == 0 or value <= nodes[0]:
        return 0, 0.0
    if value >= nodes[last]:
        return last - 1, 1.0
    left = 0
    while nodes[left + 1] < value:
        left += 1
    return left, (value - nodes[left]) / (nodes[left + 1] - nodes[left])


@kernel
def filter_currents(  # noqa: PLR0917  # numba calls by place
    dt_s: Floats,
    mean_a: Floats,
    kelvin: Floats,
    kelvins: Floats,
    tau_s: Floats,
    averaged: bool,  # noqa: FBT001  # as above
) -> Floats:
    """Return `i_j[samples, 4]` under `mean_a` (the current since the sample before), from rest.

    At the instant of each sample, or its mean over the time since the sample before where the log is `averaged`.
    """
    out = np.zeros((dt_s.shape[0], PAIRS))
    state = np.zeros(PAIRS)
    for k in range(dt_s.shape[0]):
        left, share = find_weights(kelvins, kelvin[k])
        right = min(left + 1, kelvins.shape[0] - 1)
        for j in range(PAIRS):
            tau = np.exp((1.0 - share) * np.log(tau_s[left, j]) + share * np.log(tau_s[right, j]))
            ratio = dt_s[k] / tau
            gone = -np.expm1(-ratio)
            moved = gone * (mean_a[k] - state[j])
            if averaged and ratio > 0.0:
                out[k, j] = state[j] + (1.0 - gone / ratio) * (mean_a[k] - state[j])
            else:
                out[k, j] = state[j] + moved
            state[j] += moved
    return out


@kernel
def move_hysteresis(hysteresis: float, current_a: float, dt_s: float, capacity_as: float) -> float:
    """Return the hysteresis after a step: it follows the charge towards 1 on charge, -1 on discharge."""
    moved = np.exp(-abs(current_a) * dt_s / (HYSTERESIS_SOC * capacity_as))
    return moved * hysteresis - np.sign(current_a) * (1.0 - moved)


@kernel
def find_hysteresis(dt_s: Floats, mean_a: Floats, capacity_as: float, start: float) -> Floats:
    """Return the hysteresis (-1 to 1) at each sample, under `mean_a` since the sample before."""
    out = np.empty(dt_s.shape[0])
    hysteresis = start
    for k in range(dt_s.shape[0]):
        hysteresis = move_hysteresis(hysteresis, mean_a[k], dt_s[k], capacity_as)
        out[k] = hysteresis
    return out


@kernel
def find_core_rise(dt_s: Floats, heat_w: Floats, core_k_w: float, core_s: float) -> Floats:
    """Return how much warmer the core is than the case (K) at each sample, under `heat_w` since the sample before."""
    out = np.zeros(dt_s.shape[0])
    rise = 0.0
    for k in range(dt_s.shape[0]):
        rise += -np.expm1(-dt_s[k] / core_s) * (core_k_w * heat_w[k] - rise)
        out[k] = rise
    return out
