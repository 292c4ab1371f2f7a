from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self

import numpy as np
import pytest

from drivers.ring import RingReader, RingWriter
from drivers.snapshot import Channel, ChannelTable, Quality
from workbench.session.status import LaneInfo
from workbench.window.plots.axis_ticks import follow, round_scale
from workbench.window.plots.channel_history import ChannelHistory
from workbench.window.plots.min_max_bins import MinMaxBins

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = ("cell_01/voltage", "cell_02/voltage", "twin/A/cell_01/voltage", "twin/B/cell_01/voltage")
LANES = (LaneInfo("twin", "A", active=True), LaneInfo("twin", "B", active=False))


class Line:
    """A ring of four channels and its store."""

    def __init__(self, folder: Path, rows: int = 500) -> None:
        table = ChannelTable(tuple(Channel(name, "V") for name in NAMES))
        self.writer = RingWriter.create(folder / "ring", table, 2, capacity=4000)
        self.reader = RingReader.open(folder / "ring")
        self.store = ChannelHistory(self.reader, LANES, rows)
        self.at = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.reader.close()
        self.writer.close()

    def put(self, values: tuple[float, ...], age_s: float = 0.0, quality: Quality = Quality.GOOD) -> None:
        t_s = 100.0 + self.at * 0.01
        qualities = np.full(2, quality, np.uint8)
        self.writer.publish(t_s, np.array(values), np.full(2, t_s - age_s), qualities)
        self.at += 1


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    with Line(tmp_path) as made:
        yield made


def test_store_keeps_the_newest_rows_across_compaction(line: Line) -> None:
    for number in range(1700):
        line.put((float(number), 0.0, 0.0, 0.0))
        if number % 7 == 0:
            line.store.feed()
    line.store.feed()
    kept = line.store.line("cell_01/voltage")
    assert len(kept) == 500
    assert kept.tolist() == [float(number) for number in range(1200, 1700)]
    assert line.store.newest_s == pytest.approx(116.99)


def test_bands_and_spread_are_derived_from_the_cells(line: Line) -> None:
    line.put((3.60, 3.64, 3.6, 3.6))
    line.store.feed()
    reading = line.store.at()
    assert reading["cells/min"] == pytest.approx(3.60)
    assert reading["cells/max"] == pytest.approx(3.64)
    assert reading["cells/mean"] == pytest.approx(3.62)
    assert reading["cells/spread"] == pytest.approx(0.04)


def test_a_missing_cell_does_not_hide_the_others(line: Line) -> None:
    line.put((math.nan, 3.64, 3.6, 3.6))
    line.store.feed()
    assert line.store.at()["cells/mean"] == pytest.approx(3.64)


def test_active_twin_tracks_the_read_back_and_others_differ_from_it(line: Line) -> None:
    line.put((3.600, 3.64, 3.601, 3.608))
    line.store.feed()
    assert line.store.at()["twin/A/difference"] == pytest.approx(0.001, abs=1e-6)
    assert line.store.at()["twin/B/difference"] == pytest.approx(0.007, abs=1e-6)


def test_differences_follow_the_lane_that_became_active(line: Line) -> None:
    line.store.set_lanes((LaneInfo("twin", "A", active=False), LaneInfo("twin", "B", active=True)))
    line.put((3.600, 3.64, 3.601, 3.608))
    line.store.feed()
    assert line.store.at()["twin/B/difference"] == pytest.approx(0.008, abs=1e-6)
    assert line.store.at()["twin/A/difference"] == pytest.approx(-0.007, abs=1e-6)


def test_reading_at_an_instant_is_the_row_before_it(line: Line) -> None:
    for number in range(10):
        line.put((float(number), 0.0, 0.0, 0.0))
    line.store.feed()
    assert line.store.at(100.055)["cell_01/voltage"] == 5.0


def test_stale_value_has_its_age(line: Line) -> None:
    line.put((3.6, 3.6, 3.6, 3.6), age_s=2.5, quality=Quality.STALE)
    line.store.feed()
    quality, age_s = line.store.state("cell_01/voltage")
    assert quality is Quality.STALE
    assert age_s == pytest.approx(2.5)


def test_frozen_store_stands_still(line: Line) -> None:
    line.put((1.0, 1.0, 1.0, 1.0))
    line.store.feed()
    still = line.store.freeze()
    line.put((2.0, 2.0, 2.0, 2.0))
    line.store.feed()
    assert still.line("cell_01/voltage").tolist() == [1.0]
    assert len(line.store.line("cell_01/voltage")) == 2


def test_a_ring_that_starts_anew_starts_the_store_anew(line: Line) -> None:
    for number in range(20):
        line.put((float(number), 0.0, 0.0, 0.0))
    line.store.feed()
    generation = line.store.generation
    line.writer.restart()
    line.at = 0
    line.put((7.0, 0.0, 0.0, 0.0))
    line.store.feed()
    assert line.store.line("cell_01/voltage").tolist() == [7.0]
    assert line.store.generation > generation


def test_bins_hold_least_and_greatest_of_every_pixel_however_they_were_fed(line: Line) -> None:
    noise = np.random.default_rng(1)
    bins = MinMaxBins(["cell_01/voltage", "cells/max"], 50, 0.07)
    values: list[float] = []
    for number in range(420):
        values.append(float(noise.standard_normal()))
        line.put((values[-1], 0.0, 0.0, 0.0))
        if number % 5 == 0:
            line.store.feed()
            bins.update(line.store, math.floor(line.store.newest_s / 0.07))
    line.store.feed()
    last = math.floor(line.store.newest_s / 0.07)
    bins.update(line.store, last)
    number, low, high = bins.between(last - 49, last)
    t_s, seen = line.store.t_s, line.store.line("cell_01/voltage")
    for place, bin_number in enumerate(number):
        inside = seen[np.floor(t_s / 0.07) == bin_number]
        assert low[0, place] == inside.min()
        assert high[0, place] == inside.max()


def test_scale_has_round_ticks_and_holds_still() -> None:
    scale = round_scale(3.612, 3.655, 0.008)
    assert scale.low <= 3.612
    assert scale.high >= 3.655
    assert all(abs(tick / scale.step - round(tick / scale.step)) < 1e-6 for tick in scale.ticks)
    assert 4 <= len(scale.ticks) <= 8
    assert follow(scale, 3.62, 3.65, 0.008) is scale
    assert follow(scale, 3.60, 3.70, 0.008) is not scale


def test_scale_shrinks_when_the_data_no_longer_fills_it() -> None:
    wide = round_scale(-20.0, 40.0, 1.0)
    assert follow(wide, 1.0, 2.0, 1.0).high < 10.0


def test_tracking_holds_the_read_back_against_the_set_point_that_was_in_force(line: Line) -> None:
    # the set-point steps by 100 mV at row 10; the cells, sampled 8.5 ms before they are read, follow three rows later
    for number in range(30):
        asked, read = 3.7 if number >= 10 else 3.6, 3.7 if number >= 13 else 3.6
        line.put((read, read, asked, asked), age_s=0.0085)
        line.store.feed()
    assert np.abs(line.store.line("twin/A/difference")).max() < 1e-6


def test_residual_holds_every_twin_against_the_measurement(tmp_path: Path) -> None:
    with Line(tmp_path) as line:
        store = ChannelHistory(line.reader, LANES, 500, residual=True)
        line.put((3.600, 3.64, 3.601, 3.608))
        store.feed()
        assert store.at()["twin/A/difference"] == pytest.approx(0.001, abs=1e-6)
        assert store.at()["twin/B/difference"] == pytest.approx(0.008, abs=1e-6)


def test_rare_spikes_do_not_set_a_usual_range(line: Line) -> None:
    for number in range(400):
        line.put((1.0 if number == 200 else 0.001, 0.0, 0.0, 0.0))
    line.store.feed()
    bins = MinMaxBins(["cell_01/voltage"], 100, 0.04)
    bins.update(line.store, math.floor(line.store.newest_s / 0.04))
    assert bins.extent("cell_01/voltage")[1] == 1.0
    assert bins.extent("cell_01/voltage", usual=True)[1] == pytest.approx(0.001)
