"""The clock of the project is fine on every system; on Windows Python's monotonic clock is not."""

from __future__ import annotations

import importlib
import sys
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from drivers import clock

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def reloaded(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The module as another system loads it."""
    yield monkeypatch
    monkeypatch.undo()
    importlib.reload(clock)


@pytest.mark.parametrize(("platform", "function"), [("win32", time.perf_counter), ("linux", time.monotonic)])
def test_clock_of_a_system(reloaded: pytest.MonkeyPatch, platform: str, function: object) -> None:
    reloaded.setattr(sys, "platform", platform)
    assert importlib.reload(clock).monotonic is function


def test_the_clock_steps_by_less_than_a_tenth_of_a_millisecond() -> None:
    readings = [clock.monotonic() for _ in range(1000)]
    steps = [later - sooner for sooner, later in pairwise(readings) if later > sooner]
    assert min(steps) < 1e-4
