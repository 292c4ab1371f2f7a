"""The shipped tasks: read, drawn, stepped, priced; and what a shield keeps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from control.tasks import episodes as drawing
from control.tasks.cost import TaskCosts
from control.tasks.episodes import draw_episodes
from control.tasks.pack_batch import PackBatch
from control.tasks.prices import draw_prices
from control.tasks.reference_packs import ReferencePacks
from control.tasks.simulation import TaskSimulation
from control.tasks.task import ControlTask, find_task, list_tasks, read_task
from drivers.benchfile.cell_file import find_cell
from drivers.errors import BenchFileError, Usage
from twin import ecm
from twin.cell_parameters import load_cell
from twin.ecm import EcmPack
from twin.ports import PackSpec

if TYPE_CHECKING:
    from pathlib import Path

each_task = pytest.mark.parametrize("name", list_tasks())


def shipped(name: str) -> ControlTask:
    return read_task(find_task(name))


def test_the_shipped_tasks_are_the_three_of_the_guide() -> None:
    assert list_tasks() == ["arbitrage", "duty_tracking", "fast_charge"]
    with pytest.raises(Usage, match="did you mean arbitrage"):
        find_task("arbitrag")


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("voltage_v = [3.0, 4.15]", "voltage_v = [3.0, 4.35]", "voltage_v"),
        ("charge_c = 0.5", "charge_c = 5.0", "charge_c"),
        ("soc = [0.1, 0.9]", "soc = [0.9, 0.1]", "soc"),
        ("[prices]", "[price]", "price"),
        ("steps = 96", "steps = 0", "steps"),
    ],
)
def test_a_mistake_in_a_task_is_named_with_its_line(tmp_path: Path, old: str, new: str, what: str) -> None:
    text = find_task("arbitrage").read_text()
    assert old in text
    (tmp_path / "t.toml").write_text(text.replace(old, new))
    with pytest.raises(BenchFileError, match=what) as caught:
        read_task(tmp_path / "t.toml")
    assert caught.value.line


def write_on_lfp(folder: Path, *changes: tuple[str, str]) -> Path:
    """Write the shipped arbitrage task on the shipped LFP cell, whose file says nothing of plating."""
    text = find_task("arbitrage").read_text()
    own = (("[pack]\n", '[pack]\ncell = "prada2013"\n'), ("voltage_v = [3.0, 4.15]", "voltage_v = [2.5, 3.55]"))
    for old, new in (*own, *changes):
        assert old in text, old
        text = text.replace(old, new)
    (folder / "lfp.toml").write_text(text)
    return folder / "lfp.toml"


def test_a_task_names_its_cell(tmp_path: Path) -> None:
    plating = re.search(r"plating_v = \S+", find_task("arbitrage").read_text())
    assert plating is not None
    with pytest.raises(BenchFileError, match="which the cell Prada2013 does not say") as caught:
        read_task(write_on_lfp(tmp_path))
    assert caught.value.line
    task = read_task(write_on_lfp(tmp_path, (plating.group(), "plating_v = -1")))
    assert (task.cell.chemistry, task.cell.sha256) == ("LFP", load_cell(find_cell("prada2013", tmp_path)).sha256)
    simulation = TaskSimulation(task, 3, 2)
    simulation.step(np.full(2, 0.5))
    assert (simulation.batch.read(ecm.VOLTAGE) < 3.5).all(), "an LFP cell"
    judge = ReferencePacks(task, draw_episodes(task, 3, [0]), "SPMe")
    assert judge.read(ecm.VOLTAGE).max() < 3.5, "the judge's cell, too"


def test_a_cell_that_a_task_cannot_have_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(BenchFileError, match="there is no cell 'prada'") as caught:
        read_task(write_on_lfp(tmp_path, ("prada2013", "prada")))
    assert caught.value.line


@each_task
def test_an_episode_is_the_same_for_everybody(name: str) -> None:
    task = shipped(name)
    alone, among = draw_episodes(task, 3, [7]), draw_episodes(task, 3, range(5, 9))
    for field in alone.__dataclass_fields__:
        assert np.array_equal(getattr(alone, field)[0], getattr(among, field)[2]), field
    assert not np.array_equal(alone.signal[0], among.signal[1]) or name == "fast_charge"


def test_a_pack_of_the_batch_is_a_pack_of_the_ecm_twin() -> None:
    task = shipped("duty_tracking")
    drawn = draw_episodes(task, 1, range(3))
    batch = PackBatch(task, drawn)
    cell, number = task.cell, 1
    spec = PackSpec(
        task.pack.cells, task.pack.parallel, cell.capacity_ah, drawn.soc0[number], drawn.capacity[number],
        drawn.resistance[number], float(drawn.ambient_k[number]),
    )  # fmt: skip
    twin = EcmPack(spec, cell.circuit)
    for current_a in (30.0, -20.0, 0.0, 50.0):
        state = twin.step(np.full(task.pack.cells, current_a), spec.ambient_k, task.step_s)
        step = batch.step(np.full(3, current_a))
        assert batch.read(ecm.VOLTAGE)[number] == pytest.approx(state.voltage_v, abs=1e-12)
        assert batch.read(ecm.SOC)[number] == pytest.approx(state.soc, abs=1e-12)
        assert step.energy_wh[number] == pytest.approx(state.voltage_v.sum() * current_a * task.step_s / 3600.0)


@each_task
def test_the_shield_keeps_every_limit_against_random_actions(name: str) -> None:
    task = shipped(name)
    simulation, random = TaskSimulation(task, 11, 64), np.random.default_rng(5)
    broken = needed = 0.0
    for _ in range(120):
        outcome = simulation.step(random.uniform(-1.0, 1.0, 64) * task.rating_a)
        broken += outcome.parts.broken.sum()
        needed += outcome.intervened.sum()
        assert np.isfinite(outcome.observation).all()
    assert broken == 0.0
    assert needed > 0.0, "without one intervention the shield was not tried"


@each_task
def test_without_the_shield_random_actions_break_limits(name: str) -> None:
    task = shipped(name)
    simulation, random = TaskSimulation(task, 11, 64, shielded=False), np.random.default_rng(5)
    outcomes = [simulation.step(random.uniform(-1.0, 1.0, 64) * task.rating_a) for _ in range(120)]
    assert sum(outcome.parts.broken.sum() for outcome in outcomes) > 0.0


def test_a_request_that_is_no_number_is_zero_current() -> None:
    simulation = TaskSimulation(shipped("arbitrage"), 1, 2)
    assert np.array_equal(simulation.step(np.array([np.nan, 0.0])).applied_a, np.zeros(2))


def test_selling_the_first_charge_at_the_mean_price_earns_nothing() -> None:
    task = shipped("arbitrage")
    costs, cells = TaskCosts(task), task.pack.cells
    mean = np.array([0.2])
    drawn = draw_episodes(task, 1, [0])
    ones = np.ones((1, cells))
    batch = PackBatch(
        task,
        drawing.Episodes(**{
            **{field: getattr(drawn, field) for field in drawn.__dataclass_fields__},
            "soc0": 0.7 * ones, "capacity": ones, "resistance": 0.1 * ones,
        }),
    )  # fmt: skip
    soc0 = batch.read(ecm.SOC).copy()
    earned = 0.0
    for _ in range(4):
        current_a = np.array([0.2 * task.pack_ah])
        earned -= costs.price_step(batch.step(current_a), current_a, mean).energy[0]
    settled = costs.settle(soc0, batch.read(ecm.SOC), ones, mean)[0]
    assert earned > 0.03
    assert earned - settled <= 0.0, "what was sold must be bought again"
    assert earned - settled == pytest.approx(0.0, abs=0.12 * earned)


def test_prices_repeat_by_their_seed_and_have_the_declared_mean() -> None:
    prices = shipped("arbitrage").prices
    assert prices is not None
    drawn = draw_prices(np.random.default_rng(4), prices, 24 * 400)
    assert np.array_equal(drawn, draw_prices(np.random.default_rng(4), prices, 24 * 400))
    spikes = prices.spikes_per_day * prices.spike_eur_kwh / 24.0
    assert drawn.mean() == pytest.approx(prices.mean_eur_kwh + spikes, abs=0.01)
    by_hour = drawn.reshape(-1, 24).mean(axis=0)
    assert by_hour.argmax() in {18, 19}
    assert by_hour.argmin() in {3, 4}
