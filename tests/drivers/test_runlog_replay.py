from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.ring import RingReader
from drivers.runlog.recorder import Recorder
from drivers.runlog.replay import Replay
from drivers.runlog.run import Run
from drivers.snapshot import Channel, ChannelTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TABLE = ChannelTable((Channel("cell_01/voltage", "V"), Channel("cell_02/voltage", "V"), Channel("loop/turn", "s")))
TICKS, CAPACITY = 200, 64


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("runs") / "run"
    with Recorder.create(folder, TABLE, {}, 2) as recorder:
        for number in range(TICKS):
            sampled_s, quality = np.array([number, number + 0.5]), np.array([number % 4, 0], np.uint8)
            recorder.put(7.0 + number / 8, np.array([number, -number, 0.001]), sampled_s, quality)
    with Run.open(folder) as opened:
        yield opened


@given(times=st.lists(st.floats(-1.0, 30.0), min_size=1, max_size=6))
@settings(deadline=None, max_examples=40)
def test_what_the_ring_shows_depends_on_the_time_alone(
    run: Run, tmp_path_factory: pytest.TempPathFactory, times: list[float]
) -> None:
    path = tmp_path_factory.mktemp("ring") / "ring"
    with Replay(run, path, CAPACITY) as replay, RingReader.open(path) as ring:
        for to_s in times:
            replay.advance(to_s)
        due = int(np.searchsorted(np.arange(TICKS) / 8, times[-1], side="right"))
        t_s, values = ring.window(np.array([0]), CAPACITY)
        # all that the run holds before that time, as far back as the ring reaches
        assert values[0].tolist() == list(range(max(due - CAPACITY + 1, 0), due))
        assert t_s.tolist() == [7.0 + number / 8 for number in values[0]]


def test_a_replayed_row_is_the_recorded_one(run: Run, tmp_path: Path) -> None:
    with Replay(run, tmp_path / "ring") as replay, RingReader.open(tmp_path / "ring") as ring:
        replay.advance(10.0)
        row = ring.latest()
        assert (ring.table, ring.measured) == (TABLE, 2)
    assert row is not None
    assert row.t_s == 17.0
    assert row.values.tolist() == [80.0, -80.0, 0.001]
    assert row.sampled_s.tolist() == [80.0, 80.5]
    assert row.quality.tolist() == [0, 0]


def test_going_back_starts_a_new_epoch(run: Run, tmp_path: Path) -> None:
    with Replay(run, tmp_path / "ring") as replay, RingReader.open(tmp_path / "ring") as ring:
        replay.advance(10.0)
        replay.advance(12.0)
        assert (ring.epoch, ring.count) == (0, 97)
        replay.advance(2.0)
        assert (ring.epoch, ring.count) == (1, 17)


def test_time_beyond_the_end_shows_the_end(run: Run, tmp_path: Path) -> None:
    with Replay(run, tmp_path / "ring") as replay, RingReader.open(tmp_path / "ring") as ring:
        replay.advance(1e6)
        assert replay.duration_s == pytest.approx((TICKS - 1) / 8)
        assert ring.count == TICKS
