"""The loop's end of the shadow score, with the process that scores."""

from __future__ import annotations

import math
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from control.ports import Decision
from control.shadow import watcher as watching
from control.shadow.watcher import NO_SCORES, ShadowScores, ShadowWatcher
from drivers.snapshot import Estimate, PackReading
from tests.control.shadow.scored import CELLS, DUTY_A, PERIOD_S, make_order
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

READING = PackReading(0.0, DUTY_A, np.zeros(CELLS), np.full(CELLS, 3.7), np.full(CELLS, 298.0))
ESTIMATE = Estimate(np.full(CELLS, 0.5), np.zeros(CELLS))
DECISIONS = {"acts": Decision(DUTY_A, 0.0, 0), "watches": Decision(DUTY_A + 5.0, 0.0, 0)}


def turn(watcher: ShadowWatcher, dt_s: float = PERIOD_S) -> ShadowScores:
    return watcher.watch(READING, ESTIMATE, DECISIONS, dt_s)


def test_scores_arrive_beside_the_loop_and_say_what_they_do_not_cover_yet(tmp_path: Path) -> None:
    with closing(ShadowWatcher(make_order(tmp_path))) as watcher:
        for _ in range(12):
            assert turn(watcher) == NO_SCORES, "nobody scores before the bench is armed"
        watcher.start()
        wait_until(lambda: turn(watcher, 0.0).age_s == 0.0)
        scores = turn(watcher, 0.0).scores
        assert scores["watches"].open_loop_cost > scores["acts"].open_loop_cost > 0.0
        assert scores["acts"].closed_loop_cost == scores["watches"].closed_loop_cost
        turn(watcher)
        assert turn(watcher).age_s > PERIOD_S, "what is not scored yet"


def test_a_score_that_would_miss_a_part_of_the_run_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MOST_STEPS", 1)
    watcher = ShadowWatcher(make_order(tmp_path))
    for _ in range(11):
        turn(watcher)
    assert turn(watcher) == NO_SCORES
    assert math.isnan(turn(watcher).age_s)


def test_a_process_that_ended_leaves_no_score_and_the_loop_goes_on(tmp_path: Path) -> None:
    with closing(ShadowWatcher(make_order(tmp_path))) as watcher:
        watcher.start()
        process = watcher._worker  # pyright: ignore[reportPrivateUsage]  # killed as a crash would
        assert process is not None
        process.kill()
        process.join()
        turn(watcher)
        assert turn(watcher) == NO_SCORES
