"""The figures of a run: what each lane is compared by, and of how much of the run that is known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from drivers.runlog.recorder import Recorder
from drivers.snapshot import Channel, ChannelTable
from workbench.scores import ENOUGH, SETTLE_TICKS, WRITTEN_TICKS, LaneScore, nearest_gaps, rms, worst
from workbench.summary import summarise

if TYPE_CHECKING:
    from pathlib import Path

STEP_V = 0.08
TICKS, PERIOD_S, BEHIND = 400, 0.01, 2
CELLS = ("cell_01", "cell_02")
LANES = {"twin": ("ecm", "spme"), "estimator": ("ekf", "counting"), "controller": ("profile",)}


def read_back(behind: int) -> tuple[np.ndarray, np.ndarray]:
    """Set-points with one step, and what is read that many ticks later."""
    asked = np.where(np.arange(100) < 50, 3.80, 3.80 - STEP_V)
    return asked, np.concatenate([np.full(behind, 3.80), asked[: len(asked) - behind]])


@pytest.mark.parametrize("behind", WRITTEN_TICKS)
def test_a_step_that_is_read_within_the_simulators_periods_is_tracked(behind: int) -> None:
    assert nearest_gaps(*read_back(behind), WRITTEN_TICKS).max() == 0.0


@pytest.mark.parametrize("behind", [5, 10])
def test_a_step_that_is_read_later_is_not(behind: int) -> None:
    gaps = nearest_gaps(*read_back(behind), WRITTEN_TICKS)
    assert (gaps > 0.9 * STEP_V).sum() == behind - max(WRITTEN_TICKS)


def test_an_offset_counts_whole() -> None:
    asked, read = read_back(2)
    assert rms(nearest_gaps(asked, read + 0.003, WRITTEN_TICKS)).value == pytest.approx(0.003)


@pytest.mark.parametrize(("unknown", "is_score"), [(0, True), (10, True), (11, False), (500, False), (1000, False)])
def test_what_is_known_of_less_than_99_percent_is_no_score(unknown: int, is_score: bool) -> None:  # noqa: FBT001  # pytest gives it by name
    differences = np.full(1000, 0.5)
    differences[:unknown] = np.nan
    score = rms(differences)
    assert score.coverage == pytest.approx(1.0 - unknown / 1000)
    assert score.value == (pytest.approx(0.5) if is_score else None)
    assert bool(score.reason) is not is_score
    assert (score.coverage >= ENOUGH) is is_score


def test_nothing_is_no_score() -> None:
    assert (rms(np.empty(0)).value, rms(np.empty(0)).coverage) == (None, 0.0)


@pytest.mark.parametrize("hole", [0, 1, 2])
def test_the_worst_of_several_is_not_known_where_one_of_them_is_not(hole: int) -> None:
    scores = [LaneScore(0.1, 1.0), LaneScore(0.3, 1.0), LaneScore(0.2, 1.0)]
    assert worst(scores) == 0.3
    scores[hole] = LaneScore(None, 0.5, "known for half of it")
    assert math.isnan(worst(scores))
    assert math.isnan(worst([]))


def test_a_run_of_less_than_a_second_scores_nothing(tmp_path: Path) -> None:
    bench = Bench()
    bench.columns["bench/state"][:-50] = 2.0
    lanes = bench.lanes(tmp_path)
    assert lanes["ecm"]["tracking_mv"] is lanes["ekf"]["soc_error"] is None
    assert lanes["ecm"]["reason"] == lanes["ekf"]["reason"] == "it did not run for long enough"


class Bench:
    """The columns of a run in which all goes well: the twins differ by 20 mV, the cells follow two ticks later."""

    def __init__(self) -> None:
        self.columns: dict[str, np.ndarray] = {}
        t = np.arange(TICKS)
        self.columns |= {"loop/late": 0.0 * t, "loop/turn": 0.002 + 0.0 * t, "loop/missed": 0.0 * t}
        self.columns |= {"loop/number": 1.0 + t, "loop/twin": 0.0 * t, "bench/state": np.where(t < 20, 2.0, 3.0)}
        self.volts = 3.7 + 0.05 * np.sin(t / 30.0)
        for place, twin in enumerate(LANES["twin"]):
            for cell in CELLS:
                self.columns[f"twin/{twin}/{cell}/voltage"] = self.volts + 0.02 * place
                self.columns[f"twin/{twin}/{cell}/soc"] = np.full(TICKS, 0.5 + 0.1 * place)
        for estimator in LANES["estimator"]:
            self.columns[f"estimator/{estimator}/soc"] = np.full(TICKS, 0.51)
        for role, names in LANES.items():
            self.columns |= {f"{role}/{name}/step": np.full(TICKS, 1e-4) for name in names}
        self.play()

    def play(self) -> None:
        """The simulator shows, two ticks later, what the active twin wants."""
        place = self.columns["loop/twin"]
        for cell in CELLS:
            wanted = [self.columns[f"twin/{name}/{cell}/voltage"] for name in LANES["twin"]]
            asked = np.where(place == 1.0, wanted[1], wanted[0])
            self.columns[f"{cell}/voltage"] = np.concatenate([asked[:BEHIND], asked[:-BEHIND]])

    def summary(self, folder: Path) -> dict[str, Any]:
        measured = [name for name in self.columns if name.startswith("cell_")]
        names = [*measured, *(name for name in self.columns if name not in measured)]
        table = ChannelTable(tuple(Channel(name, "1") for name in names))
        meta = {"active": {"twin": "ecm", "estimator": "ekf", "controller": "profile"}}
        recorder = Recorder.create(folder, table, meta, len(measured))
        for row in range(TICKS):
            values = np.array([self.columns[name][row] for name in names])
            recorder.put(
                PERIOD_S * row, values, np.full(len(measured), PERIOD_S * row), np.zeros(len(measured), np.uint8)
            )
        recorder.close()
        return summarise(folder)

    def lanes(self, folder: Path) -> dict[str, dict[str, Any]]:
        return {lane["name"]: lane for lane in self.summary(folder / "run")["lanes"]}


def test_a_run_in_which_all_goes_well(tmp_path: Path) -> None:
    told = Bench().summary(tmp_path / "run")
    assert (told["ticks"], told["recorded"], told["due"], told["missed"]) == (TICKS, TICKS, TICKS, 0)
    lanes = {lane["name"]: lane for lane in told["lanes"]}
    assert lanes["ecm"]["tracking_mv"] == pytest.approx(0.0, abs=1e-9)
    assert lanes["ecm"]["difference_mv"] is None
    assert lanes["spme"]["difference_mv"] == pytest.approx(20.0)
    assert lanes["spme"]["tracking_mv"] is None
    assert lanes["ekf"]["soc_error"] == pytest.approx(0.01)
    assert [lane["coverage"] for lane in told["lanes"]] == [1.0, 1.0, 1.0, 1.0, None]
    assert not any(lane["failed"] or lane["reason"] for lane in told["lanes"])
    assert [lane["name"] for lane in told["lanes"] if lane["active"]] == ["ecm", "ekf", "profile"]


@pytest.mark.parametrize(
    ("column", "lane", "key"),
    [
        ("estimator/ekf/soc", "ekf", "soc_error"),
        ("twin/ecm/cell_01/soc", "ekf", "soc_error"),
        ("twin/spme/cell_02/voltage", "spme", "difference_mv"),
        ("cell_02/voltage", "ecm", "tracking_mv"),
        ("twin/ecm/cell_01/voltage", "ecm", "tracking_mv"),
    ],
)
def test_what_was_not_a_number_for_most_of_a_run_scores_nothing(
    column: str, lane: str, key: str, tmp_path: Path
) -> None:
    bench = Bench()
    bench.columns[column][SETTLE_TICKS : TICKS - 8] = np.nan
    told = bench.lanes(tmp_path)[lane]
    assert told[key] is None
    assert told["coverage"] < 0.6
    assert "are needed" in told["reason"]
    assert not told["failed"]


def test_a_lane_that_failed_near_the_end_counts_as_failed(tmp_path: Path) -> None:
    bench = Bench()
    for column in ("estimator/ekf/soc", "estimator/ekf/step"):
        bench.columns[column][-2:] = np.nan
    told = bench.lanes(tmp_path)["ekf"]
    assert (told["failed"], told["soc_error"], told["reason"]) == (True, None, "the lane failed")
    assert told["coverage"] >= ENOUGH


def test_a_change_of_twin_is_judged_against_the_twin_of_the_moment(tmp_path: Path) -> None:
    bench = Bench()
    bench.columns["loop/twin"][250:] = 1.0
    bench.columns["estimator/ekf/soc"][250:] = 0.61
    bench.play()
    lanes = bench.lanes(tmp_path)
    assert [lanes[name]["tracking_mv"] for name in ("ecm", "spme")] == pytest.approx([0.0, 0.0], abs=1e-9)
    assert [lanes[name]["difference_mv"] for name in ("ecm", "spme")] == pytest.approx([20.0, 20.0])
    assert lanes["ekf"]["soc_error"] == pytest.approx(0.01)
    assert lanes["counting"]["soc_error"] > 0.05
    assert [lanes[name]["active"] for name in ("ecm", "spme")] == [False, True]
    assert all(lanes[name]["was_active"] for name in ("ecm", "spme"))


def test_a_run_that_does_not_tell_which_twin_was_active_began_with_one(tmp_path: Path) -> None:
    bench = Bench()
    del bench.columns["loop/twin"]
    lanes = bench.lanes(tmp_path)
    assert lanes["ecm"]["tracking_mv"] == pytest.approx(0.0, abs=1e-9)
    assert lanes["spme"]["difference_mv"] == pytest.approx(20.0)
