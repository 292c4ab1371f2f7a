"""Pulse tests of made-up cells: an open-circuit voltage, a resistance that grows as the capacity falls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.health.grade_training import PulseRows

if TYPE_CHECKING:
    from drivers.snapshot import Floats

CURVES = {"LMO": (2.8, 1.6), "NMC": (3.45, 0.5), "LFP": (3.15, 0.12)}  # V when empty, V to full
NOMINAL_AH = {"LMO": 10.0, "NMC": 21.0, "LFP": 35.0}
OHM_C = {"LMO": 0.05, "NMC": 0.03, "LFP": 0.045}  # V at 1 C of a new cell


def draw_volts(chemistry: str, soc: float, health: float, noise: np.random.Generator) -> Floats:
    """The 21 voltages of one test (V)."""
    empty, rise = CURVES[chemistry]
    rest = empty + rise * soc / health
    fast = OHM_C[chemistry] * (2.2 - 1.2 * health) * (1.0 + 0.3 * (1.0 - soc))
    slow = 0.5 * fast * (1.6 - 0.6 * health)
    volts = [rest]
    for rate in (0.5, -0.5, 1.0, -1.0, 1.5):
        volts += [rest + rate * step for step in (fast, fast + slow, slow, 0.1 * slow)]
    return np.round(np.array(volts) + noise.normal(0.0, 2e-4, 21), 4)


def make_pulses(chemistry: str, cells: int, seed: int, tests: int = 8) -> PulseRows:
    """Tests of several cells at several states of charge."""
    noise = np.random.default_rng(seed)
    health = np.repeat(noise.uniform(0.6, 1.0, cells), tests)
    soc = np.tile(np.linspace(0.05, 0.5, tests), cells)
    volts = np.array([draw_volts(chemistry, s, h, noise) for s, h in zip(soc, health, strict=True)])
    nominal = np.full(len(soc), NOMINAL_AH[chemistry])
    names = np.repeat([f"{chemistry}{seed}x{number}" for number in range(cells)], tests)
    return PulseRows(volts, nominal, nominal * health, np.full(len(soc), chemistry), names)


def join(*parts: PulseRows) -> PulseRows:
    """Rows of several sets."""
    fields = ("volts", "nominal_ah", "capacity_ah", "chemistry", "cell")
    return PulseRows(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))
