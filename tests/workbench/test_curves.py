"""Learning curves beside the peers: bands and intervals that are right, a picture that can be read, who wins."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from control.rl.finished_training import FinishedSeed, read_finished
from control.rl.validation import run_policy
from control.tasks.controllers import load_policy
from control.tasks.episode_runner import run_episode
from control.tasks.task import FOLDER, find_task, read_task
from drivers.errors import Usage
from tests.control.rl.training_folder import NAN, write_training
from workbench.curves.axes import find_ticks, make_step_axis, make_value_axis
from workbench.curves.comparison import Comparison, Contender, Difference
from workbench.curves.picture import BOTTOM, EDGE, LEFT, TOP, draw_curves
from workbench.curves.statistics import EpisodeBootstrap, find_interval, make_band
from workbench.curves.table import encode_csv, format_difference, format_table, make_rows
from workbench.report import Report
from workbench.verbs import curves

if TYPE_CHECKING:
    from pathlib import Path

    from control.tasks.task import ControlTask

STEPS = [100, 200, 300, 400]
PEER_STROKES = {"s-grey", "s-green", "s-pink"}
SVG = "{http://www.w3.org/2000/svg}"


def make_seeds(tmp_path: Path, rows: dict[int, list[tuple[int, float]]], **more: Any) -> tuple[FinishedSeed, ...]:
    return read_finished(write_training(tmp_path, read_task(find_task("arbitrage")), rows, **more)).seeds


def make_curve(values: list[float]) -> list[tuple[int, float]]:
    return list(zip(STEPS, values, strict=False))


def compare_by_hand(seeds: tuple[FinishedSeed, ...]) -> Comparison:
    """An algorithm between the rule and both forms of the MPC."""
    costs = np.array([[0.03, 0.05]] * len(seeds))
    learned = Contender("sac", "SAC", costs, costs.mean(axis=1), 0.01, 0.0, 0.02, seeds)
    peers = [
        Contender(name, name, np.array([[cost, cost]]), np.array([cost]), 0.0, 0.0)
        for name, cost in (("rule", 0.06), ("mpc", 0.010), ("mpc-wrong", 0.011))
    ]
    everybody = [learned, *peers]
    intervals = {one.name: (one.judged_eur.min(), one.judged_eur.max()) for one in everybody}
    return Comparison("arbitrage", everybody, intervals, [], (100, 64), (4000, 2))


def test_a_band_bridges_neither_gaps_nor_the_end_of_a_seed(tmp_path: Path) -> None:
    rows = {0: make_curve([1.0, 3.0, NAN, 5.0]), 1: make_curve([2.0, NAN]), 2: make_curve([9.0, 4.0, NAN])}
    band = make_band(make_seeds(tmp_path, rows))
    assert band.known.tolist() == [3.0, 2.0, 0.0, 1.0]
    assert np.array_equal(band.low, [1.0, 3.0, NAN, 5.0], equal_nan=True)
    assert np.array_equal(band.median, [2.0, 3.5, NAN, 5.0], equal_nan=True)
    assert np.array_equal(band.high, [9.0, 4.0, NAN, 5.0], equal_nan=True)


def test_a_band_of_seeds_with_other_rows_lies_between_their_rows(tmp_path: Path) -> None:
    rows = {0: [(100, 1.0), (300, 3.0)], 1: [(200, 4.0)]}
    band = make_band(make_seeds(tmp_path, rows))
    assert band.steps.tolist() == [100.0, 200.0, 300.0]
    assert (band.low.tolist(), band.high.tolist()) == ([1.0, 2.0, 3.0], [1.0, 4.0, 3.0])


def test_the_interval_covers_the_spread_of_episodes_and_of_seeds() -> None:
    random = np.random.default_rng(1)
    one = random.standard_normal((1, 400))
    low, high = find_interval(EpisodeBootstrap(400).draw(one))
    assert (high - low) == pytest.approx(2.0 * 1.96 / 20.0, rel=0.15), "the normal theory of 400 episodes"
    many = np.repeat(random.standard_normal((50, 1)), 3, axis=1)
    low, high = find_interval(EpisodeBootstrap(3).draw(many))
    assert (high - low) == pytest.approx(2.0 * 1.96 / np.sqrt(50.0), rel=0.25), "of 50 seeds"


def test_what_two_controllers_share_of_the_episodes_cancels_in_their_difference() -> None:
    hard = 10.0 * np.random.default_rng(2).standard_normal((1, 30))
    bootstrap = EpisodeBootstrap(30)
    low, high = find_interval(bootstrap.draw(hard + 1.0) - bootstrap.draw(np.repeat(hard, 4, axis=0)))
    assert (low, high) == (pytest.approx(1.0), pytest.approx(1.0))


@pytest.mark.parametrize(("low", "high", "winner"), [(-2.0, -1.0, "mpc"), (1.0, 2.0, "rule"), (-1.0, 1.0, None)])
def test_the_winner_is_outside_the_interval(low: float, high: float, winner: str | None) -> None:
    none = np.zeros((1, 2))
    mpc, rule = (Contender(name, name.upper(), none, none[0], 0.0, 0.0) for name in ("mpc", "rule"))
    found = Difference(mpc, rule, 0.5 * (low + high), low, high, 1)
    assert (found.winner.name if found.winner else None) == winner
    assert format_difference(found, 2).endswith("no winner" if winner is None else f"{winner.upper()} wins")


def test_the_table_counts_alarms_and_leaves_their_end_out(tmp_path: Path) -> None:
    rows = {0: make_curve([-0.09, -0.05, -0.04]), 1: make_curve([-0.09, -0.03, NAN]), 2: make_curve([-0.09, -0.07])}
    seeds = make_seeds(tmp_path, rows, alarms={1: "critic_loss is nan"})
    learned, rule, *_ = make_rows(compare_by_hand(seeds))
    assert (learned["seeds"], learned["alarms"]) == (3, 1)
    assert [learned[f"final{part}_eur"] for part in ("_low", "", "_high")] == pytest.approx([0.04, 0.055, 0.07])
    assert (learned["beats_rule"], learned["beats_rule_steps"], learned["beats_rule_s"]) == (2, 200.0, 20.0)
    assert learned["violations_without_shield"] == 0.02
    assert rule["seeds"] is None
    table = format_table([learned, rule])
    assert "| 3, 1 with an alarm |" in table
    assert "2 of 3 seeds: 200 steps, 20 s" in table
    assert "nan" not in table.lower().replace("nanny", "")
    first, second = csv.DictReader(io.StringIO(encode_csv([learned, rule])))
    assert float(first["final_eur"]) == learned["final_eur"], "exactly"
    assert (second["final_eur"], second["seeds"], second["beats_rule"]) == ("", "", "")


def test_one_seed_has_a_table_and_a_picture_too(tmp_path: Path) -> None:
    comparison = compare_by_hand(make_seeds(tmp_path, {0: make_curve([-0.09])}))
    row, *_ = make_rows(comparison)
    assert np.isnan(row["judged_sd_eur"])
    assert row["beats_rule"] == 0
    assert "| 1 |" in format_table([row])
    picture = draw_curves(comparison)
    assert "SAC, 1 seed" in picture
    assert len(ET.fromstring(picture).findall(f".//{SVG}circle")) == 1, "a row alone is a dot"  # noqa: S314  # ours


def test_the_picture_holds_every_curve_and_level_within_its_frame(tmp_path: Path) -> None:
    rows = {0: make_curve([-9.0, -0.06, NAN, -0.04]), 1: make_curve([-8.0, -0.07, NAN, -0.05])}
    picture = draw_curves(compare_by_hand(make_seeds(tmp_path, rows, alarms={1: "diverged"})))
    drawing = ET.fromstring(picture)  # noqa: S314  # ours
    assert [len(list(drawing.iter(f"{SVG}{kind}"))) for kind in ("polyline", "circle")] == [1, 1], "a gap between"
    levels = [line for line in drawing.iter(f"{SVG}line") if line.get("class") in PEER_STROKES]
    inside = [line for line in levels if float(line.get("x1", "nan")) == LEFT]
    assert len(inside) == 3
    assert all(TOP < float(line.get("y1", "nan")) < BOTTOM and float(line.get("x2", "nan")) == EDGE for line in inside)
    covered = [box for box in drawing.iter(f"{SVG}rect") if box.get("y") == str(BOTTOM)]
    parts, line = list(drawing), drawing.find(f"{SVG}polyline")
    assert line is not None
    assert [parts.index(box) > parts.index(line) for box in covered] == [True]
    words = [text.text or "" for text in drawing.iter(f"{SVG}text")]
    assert "SAC, 2 seeds, 1 with an alarm" in words
    assert any("earlier returns lie below the frame" in word for word in words)
    assert any("(EUR)" in word for word in words)
    assert "nan" not in picture
    assert len(picture) < 200_000


def test_axes_have_round_ticks_and_show_what_came_late(tmp_path: Path) -> None:
    assert find_ticks(-0.031, 0.052) == pytest.approx([-0.02, 0.0, 0.02, 0.04])
    assert find_ticks(0.0, 2e6) == pytest.approx([0.0, 5e5, 1e6, 1.5e6, 2e6])
    band = make_band(make_seeds(tmp_path, {0: make_curve([-9.0, -0.06, -0.05, -0.04])}))
    axis = make_value_axis([band], [-0.01], (100.0, 0.0))
    assert -0.1 < axis.low < -0.06
    assert -0.01 < axis.high < 0.0
    short, long = np.array([100.0, 200.0]), np.array([100.0, 2e6])
    assert not make_step_axis([short, short], (0.0, 1.0)).is_logarithmic
    wide = make_step_axis([short, long], (0.0, 100.0))
    assert wide.is_logarithmic
    assert wide.place(np.array([100.0, 2e6])).tolist() == [0.0, 100.0]


@pytest.fixture(scope="module")
def short_task(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ControlTask]:
    """The arbitrage task for two hours, with as much preview."""
    text = (FOLDER / "arbitrage.toml").read_text(encoding="utf-8")
    path = tmp_path_factory.mktemp("task") / "short.toml"
    changed = "\n".join(
        {"steps": "steps = 8", "preview": "preview = 8"}.get(line.split(" ")[0], line) for line in text.splitlines()
    )
    path.write_text(changed, encoding="utf-8")
    return path, read_task(path)


def test_the_verb_runs_all_on_the_same_episodes_and_writes_its_files(
    short_task: tuple[Path, ControlTask], tmp_path: Path
) -> None:
    path, task = short_task
    rows = {0: make_curve([-0.09, 0.5]), 1: make_curve([-0.09, -0.08])}
    folders = [write_training(tmp_path / name, task, rows, algorithm=name) for name in ("sac", "cpo")]
    report = Report("curves", as_json=True)
    assert curves.main(report, folders, tmp_path, task=str(path), episodes=2)
    by_name = {row["controller"]: row for row in report.body["rows"]}
    assert list(by_name) == ["cpo", "sac", "rule", "mpc", "mpc-wrong"]
    rule = [run_episode("rule", task, seed, n).cost_eur for seed in (100, 4000) for n in range(2)]
    assert by_name["rule"]["validated_eur"] == pytest.approx(np.mean(rule[:2]))
    assert by_name["rule"]["judged_eur"] == pytest.approx(np.mean(rule[2:]))
    policies = [load_policy(str(folders[0] / f"seed_{seed}" / "policy.onnx")) for seed in range(2)]
    own = [run_policy(task, one.act, seed=4000, packs=2).cost_eur.mean() for one in policies]
    assert by_name["sac"]["judged_eur"] == pytest.approx(np.mean(own))
    assert len({round(row["judged_eur"], 9) for row in report.body["rows"]}) == 4, "both algorithms hold one policy"
    assert by_name["sac"]["beats_rule"] == 1
    files = report.body["files"]
    assert "| SAC | 2 |" in (tmp_path / "curves_arbitrage.md").read_text()
    assert set(files) == {"svg", "csv", "md"}
    assert json.dumps(report.body["differences"])
    assert {(one["one"], one["other"]) for one in report.body["differences"]} >= {("sac", "mpc"), ("mpc", "mpc-wrong")}


def test_a_policy_alone_costs_in_a_batch_what_it_costs_in_a_single_episode(
    short_task: tuple[Path, ControlTask], tmp_path: Path
) -> None:
    path, task = short_task
    folder = write_training(tmp_path, task, {0: make_curve([0.1])})
    policy = folder / "seed_0" / "policy.onnx"
    single = [run_episode(str(policy), task, 4000, n, instead="rule") for n in range(3)]
    batch = run_policy(task, load_policy(str(policy)).act, seed=4000, packs=3)
    assert batch.cost_eur == pytest.approx([score.cost_eur for score in single], rel=1e-6)
    assert batch.interventions.tolist() == [float(score.interventions) for score in single]
    assert batch.steps.tolist() == [8.0] * 3
    with pytest.raises(Usage, match="there is no task"):
        read_finished(folder).load_task(str(path.with_name("missing.toml")))
