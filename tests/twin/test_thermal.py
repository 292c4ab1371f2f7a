from __future__ import annotations

import math

import pytest

from twin.thermal import step_temperature


def test_temperature_follows_newtons_cooling() -> None:
    kelvin = 298.15
    for _ in range(1000):
        kelvin = step_temperature(kelvin, 308.15, 0.001)
    assert kelvin == pytest.approx(308.15 - 10.0 * math.exp(-1.0), abs=0.01)


def test_a_step_far_longer_than_the_time_constant_does_not_overshoot() -> None:
    assert 298.15 < step_temperature(298.15, 308.15, 1000.0) < 308.15
