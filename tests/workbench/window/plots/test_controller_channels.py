"""What the window computes of controllers: the longest step of a second, and the cost above the active one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.ring import RingReader, RingWriter
from drivers.snapshot import Channel, ChannelTable
from workbench.session.status import LaneInfo
from workbench.window.plots.channel_history import ChannelHistory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAMES = [f"controller/{lane}/{what}" for lane in ("A", "B") for what in ("step", "open_loop_cost", "closed_loop_cost")]
PLANS_S, BETWEEN_S = 4e-3, 1e-4


def feed(folder: Path, row: Callable[[int], list[float]], rows: int, *, active: str = "A") -> ChannelHistory:
    lanes = [LaneInfo("controller", name, active=name == active) for name in ("A", "B")]
    table = ChannelTable(tuple(Channel(name, "s" if name.endswith("step") else "EUR") for name in NAMES))
    writer = RingWriter.create(folder / "ring", table, 0, capacity=4000)
    reader = RingReader.open(folder / "ring")
    store = ChannelHistory(reader, lanes, 500)
    for number in range(rows):
        writer.publish(100.0 + 0.01 * number, np.array(row(number)), np.empty(0), np.empty(0, np.uint8))
        if number % 3 == 0:
            store.feed()
    store.feed()
    reader.close()
    writer.close()
    return store


def test_a_controller_that_plans_every_tenth_turn_shows_how_long_planning_took(tmp_path: Path) -> None:
    store = feed(tmp_path, lambda n: [PLANS_S if n % 10 == 0 else BETWEEN_S, 0.0, 0.0] * 2, 150)
    assert store.line("controller/A/longest_step") == pytest.approx(np.full(150, PLANS_S))


def test_a_long_step_is_forgotten_after_a_second_and_a_missing_one_is_missing(tmp_path: Path) -> None:
    steps = [PLANS_S, *[BETWEEN_S] * 148, math.nan]
    store = feed(tmp_path, lambda n: [steps[n], 0.0, 0.0] * 2, 150)
    longest = store.line("controller/A/longest_step")
    assert longest[:100] == pytest.approx(np.full(100, PLANS_S))
    assert longest[102:149] == pytest.approx(np.full(47, BETWEEN_S))
    assert math.isnan(longest[149])


@pytest.mark.parametrize(("active", "signs"), [("A", (0.0, 1.0)), ("B", (-1.0, 0.0))])
def test_a_shadow_score_is_the_cost_above_the_active_one(
    tmp_path: Path, active: str, signs: tuple[float, float]
) -> None:
    store = feed(tmp_path, lambda _: [0.0, 1.0, 5.0, 0.0, 1.5, 7.0], 3, active=active)
    for name, sign in zip(("A", "B"), signs, strict=True):
        assert store.newest(f"controller/{name}/open_loop_more") == pytest.approx(0.5 * sign)
        assert store.newest(f"controller/{name}/closed_loop_more") == pytest.approx(2.0 * sign)
