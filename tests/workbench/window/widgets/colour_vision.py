"""Colour differences as eyes see them: CIEDE2000 (Sharma 2005) after the colour blindness of Machado 2009."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Lab: TypeAlias = NDArray[np.float64]

_XYZ: Final = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE: Final = _XYZ.sum(axis=1)
# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB
EYES: Final = {
    "normal": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def see(colour: str, eyes: str) -> Lab:
    """Return the CIELAB value of `#rrggbb` as these eyes see it."""
    shown = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255.0
    linear = np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4)
    ratio: Lab = _XYZ @ np.clip(EYES[eyes] @ linear, 0.0, 1.0) / _WHITE
    f: Lab = np.where(ratio > 216.0 / 24389.0, ratio ** (1.0 / 3.0), (24389.0 / 27.0 * ratio + 16.0) / 116.0)
    return np.array([116.0 * f[1] - 16.0, 500.0 * (f[0] - f[1]), 200.0 * (f[1] - f[2])])


def difference(one: Lab, other: Lab) -> float:
    """Return the CIEDE2000 difference of two CIELAB values."""
    chroma = (np.hypot(*one[1:]) + np.hypot(*other[1:])) / 2.0
    stretch = 1.5 - 0.5 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    c1, h1 = _polar(one[1] * stretch, one[2])
    c2, h2 = _polar(other[1] * stretch, other[2])
    turn = 0.0 if c1 * c2 == 0.0 else h2 - h1
    turn -= 360.0 * np.sign(turn) * (abs(turn) > 180.0)
    hue = h1 + h2 if c1 * c2 == 0.0 else h1 + turn / 2.0
    dl, dc = other[0] - one[0], c2 - c1
    dh = 2.0 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2.0))
    light, c = (one[0] + other[0]) / 2.0 - 50.0, (c1 + c2) / 2.0
    t = 1.0 - 0.17 * _cos(hue - 30.0) + 0.24 * _cos(2.0 * hue)
    t += 0.32 * _cos(3.0 * hue + 6.0) - 0.20 * _cos(4.0 * hue - 63.0)
    by_l, by_c, by_h = 1.0 + 0.015 * light**2 / np.sqrt(20.0 + light**2), 1.0 + 0.045 * c, 1.0 + 0.015 * c * t
    turned = 60.0 * np.exp(-((((hue % 360.0) - 275.0) / 25.0) ** 2))
    rotation = -2.0 * np.sqrt(c**7 / (c**7 + 25.0**7)) * np.sin(np.radians(turned))
    square = (dl / by_l) ** 2 + (dc / by_c) ** 2 + (dh / by_h) ** 2 + rotation * dc / by_c * dh / by_h
    return float(np.sqrt(square))


def _polar(a: float, b: float) -> tuple[float, float]:
    return float(np.hypot(a, b)), float(np.degrees(np.arctan2(b, a)) % 360.0)


def _cos(degrees: float) -> float:
    return float(np.cos(np.radians(degrees)))
