"""A task on the prices of a table: its days, its hash, what policies and promotions know of it, and the fit."""

from __future__ import annotations

import hashlib
import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest

from control.rl.policy import Policy
from control.rl.seed_training import SeedJob
from control.tasks import fit_prices as tool
from control.tasks.episodes import draw_episodes
from control.tasks.price_fit import fit_prices
from control.tasks.price_source import PriceSource
from control.tasks.price_table import read_price_table
from control.tasks.prices import draw_prices
from control.tasks.promotion_gates import check_identity
from control.tasks.promotion_judge import make_result
from control.tasks.promotion_rules import FILE, read_rules
from control.tasks.simulation import TaskSimulation
from control.tasks.task import NUMBERS, TaskPrices, find_task, read_task, replace_prices
from drivers.errors import BenchFileError, Usage
from tests.control.rl.handmade import make_policy
from tests.control.tasks.price_tables import BEGIN, day_of, write_drawn_table, write_table

if TYPE_CHECKING:
    from pathlib import Path

TASK = read_task(find_task("arbitrage"))
PRICES = TASK.prices
# of the signals of 20 episodes of seed 4000, before a task could have a table
SIGNALS = "30129ffb1da35bb56fd1b3f66c1eb345566936ef297af59174da928e160264fe"


def write_task(folder: Path, *lines: str, drop_numbers: bool = False) -> Path:
    """Write the arbitrage task with more lines in `[prices]`."""
    assert PRICES is not None
    text = find_task("arbitrage").read_text()
    if drop_numbers:
        text = "\n".join(line for line in text.splitlines() if not line.startswith(NUMBERS))
    path = folder / "own.toml"
    path.write_text(text.replace("[prices]", "\n".join(["[prices]", *lines])))
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Six days; the price of a row is its number."""
    return write_table(tmp_path / "table.csv", 6)


def test_without_a_table_the_shipped_task_is_what_it_was() -> None:
    signal = draw_episodes(TASK, 4000, range(20)).signal
    assert hashlib.sha256(signal.tobytes()).hexdigest() == SIGNALS
    file = hashlib.sha256(find_task("arbitrage").read_bytes()).hexdigest()
    assert (TASK.sha256, TASK.market) == (file, None)


def test_episodes_start_at_midnight_of_a_drawn_day_and_stay_within_the_span(table: Path) -> None:
    task = replace_prices(TASK, PriceSource(table, begin=day_of(1), end=day_of(5)))
    drawn = draw_episodes(task, 7, range(60))
    starts = np.round(1e3 * drawn.signal[:, 0]).astype(int)
    assert set(starts.tolist()) == {24, 48, 72}, "two days, of the second to the fourth whole day"
    hours = starts[:, None] + np.arange(192) // 4
    assert drawn.signal == pytest.approx(1e-3 * hours)
    again = draw_episodes(task, 7, [5])
    assert np.array_equal(again.signal[0], drawn.signal[5]), "the same number is the same episode"
    plain = draw_episodes(TASK, 7, range(60))
    assert np.array_equal(plain.soc0, drawn.soc0), "the packs are those of the task without the table"


def test_steps_of_any_length_take_the_mean_of_their_quarters(tmp_path: Path) -> None:
    quarters = write_table(tmp_path / "q.csv", 4, per_hour=4)
    table, random = read_price_table(quarters), np.random.default_rng(1)
    day = 96e-3
    assert table.draw(random, 24, 1) % day == pytest.approx(1e-3 * (1.5 + 4 * np.arange(24)))
    assert table.draw(random, 288, 12) % day == pytest.approx(1e-3 * (np.arange(288) // 3))
    assert table.draw(random, 48, 2) % day == pytest.approx(1e-3 * (1.5 + 4 * (np.arange(48) // 2)))


def test_a_simulation_runs_on_the_table(table: Path) -> None:
    task = replace_prices(TASK, PriceSource(table))
    simulation = TaskSimulation(task, 3, 4)
    names = simulation.observer.names
    now = simulation.observation[:, names.index("mean_price")] + simulation.observation[:, names.index("price_00")]
    assert now == pytest.approx(simulation.get_signal())
    assert np.isfinite(simulation.step(np.full(4, 10.0)).cost_eur).all()


def test_the_hash_of_a_task_covers_the_table_that_its_file_names(table: Path, tmp_path: Path) -> None:
    lines = ('table = "table.csv"', "from = 2022-01-01", "to = 2022-01-05")
    task = read_task(write_task(tmp_path, *lines))
    assert task.market is not None
    assert len(task.market.table.days) == 4
    assert task.prices is not None
    assert PRICES is not None
    assert task.prices.mean_eur_kwh == PRICES.mean_eur_kwh, "the numbers stay those of the file"
    text = table.read_text()
    table.write_text(text.replace(",7.0\n", ",7.5\n"))
    other = read_task(write_task(tmp_path, *lines))
    assert other.sha256 != task.sha256
    table.write_text(text.replace("T00:00:00", " 00:00"))
    assert read_task(write_task(tmp_path, *lines)).sha256 == task.sha256, "the same prices, written otherwise"
    assert pickle.loads(pickle.dumps(task)).market.table.sha256 == task.market.table.sha256  # noqa: S301  # our own bytes


def test_prices_beside_a_task_do_not_make_it_another_one(table: Path) -> None:
    task = replace_prices(TASK, PriceSource(table))
    assert task.sha256 == TASK.sha256
    assert TASK.market is None, "the task itself stays as it is"
    policy = Policy(make_policy(TASK), "by hand")
    gates = {gate.name: gate for gate in check_identity(policy, task)}
    assert gates["task hash"].is_passed
    result = make_result(policy, task, read_rules(FILE), list(gates.values()))
    assert result["prices"]["sha256"] == read_price_table(table).sha256
    assert "prices" not in make_result(policy, TASK, read_rules(FILE), [])


def test_a_checkpoint_belongs_to_its_prices(table: Path) -> None:
    jobs = (SeedJob(task, "sac", 0) for task in (TASK, replace_prices(TASK, PriceSource(table))))
    plain, market = (job.describe() for job in jobs)
    assert plain["prices_sha256"] is None, "checkpoints of earlier versions continue"
    assert market["prices_sha256"] == read_price_table(table).sha256
    assert {name for name in plain if plain[name] != market[name]} == {"prices_sha256", "prices"}


def test_a_policy_is_not_judged_on_days_that_it_was_trained_on(table: Path) -> None:
    first, rest = (
        replace_prices(TASK, PriceSource(table, begin=begin, end=end))
        for begin, end in ((day_of(0), day_of(3)), (day_of(3), day_of(6)))
    )
    assert first.market is not None
    policy = Policy(make_policy(TASK, price_days=first.market.table.day_hashes), "by hand")
    for task, passes in ((rest, True), (first, False)):
        gates = {gate.name: gate for gate in check_identity(policy, task)}
        assert gates["unseen prices"].is_passed is passes
    assert gates["unseen prices"].values == {"seen": 3, "days": 3}
    assert "unseen prices" not in {gate.name for gate in check_identity(policy, TASK)}
    assert "price_days" not in Policy(make_policy(TASK), "by hand").info.encode(), "others are written as before"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (('table = "none.csv"',), "none.csv cannot be read"),
        (('table = "table.csv"', "from = 2022-01-06"), "no 2 whole days in a row"),
        (('table = "table.csv"', "from = 2023-01-06"), "it holds 2022-01-01 to 2022-01-06"),
        (('table = "table.csv"', "from = 2022-01-05", "to = 2022-01-05"), "not after 2022-01-05"),
        (('table = "table.csv"', "fit_to = 2022-01-05"), "an end and no begin"),
        (('table = "table.csv"', 'from = "soon"'), "prices.from"),
        (('table = "table.csv"', "form = 2022-01-01"), "did you mean from?"),
        (('table = "table.csv"', "from = 2022-01-03", "fit_from = 2022-01-01"), "mean_eur_kwh is fitted"),
        (("from = 2022-01-03",), "should have a table"),
    ],
)
def test_a_mistake_in_the_prices_of_a_task_is_a_sentence(
    lines: tuple[str, ...], words: str, table: Path, tmp_path: Path
) -> None:
    with pytest.raises(BenchFileError) as caught:
        read_task(write_task(tmp_path, *lines))
    assert words in str(caught.value)


def test_a_fit_uses_only_days_before_those_that_are_drawn(tmp_path: Path) -> None:
    assert PRICES is not None
    path = write_drawn_table(tmp_path / "table.csv", PRICES, 40)
    assert "needs a begin" in PriceSource(path, fit_begin=day_of(0)).find_mistake()
    late = PriceSource(path, begin=day_of(30), fit_begin=day_of(0), fit_end=day_of(31))
    assert "is not before the prices" in late.find_mistake()
    lines = ('table = "table.csv"', f"from = {day_of(30)}", f"fit_from = {day_of(0)}")
    task = read_task(write_task(tmp_path, *lines, drop_numbers=True))
    assert task.prices is not None
    assert task.prices.mean_eur_kwh == fit_prices(read_price_table(path).hourly[:30]).mean_eur_kwh
    with pytest.raises(BenchFileError, match="10 whole days are too few"):
        read_task(write_task(tmp_path, lines[0], f"from = {day_of(10)}", lines[2], drop_numbers=True))
    with pytest.raises(BenchFileError, match="mean_eur_kwh is missing"):
        read_task(write_task(tmp_path, lines[0], drop_numbers=True))


def test_only_a_task_with_prices_takes_a_table(table: Path) -> None:
    with pytest.raises(Usage, match="duty_tracking has no prices"):
        replace_prices(read_task(find_task("duty_tracking")), PriceSource(table))


@pytest.mark.parametrize("spikes", [0.0, 0.5])
def test_a_fit_finds_the_numbers_that_prices_were_drawn_with(spikes: float) -> None:
    true = TaskPrices(
        mean_eur_kwh=0.1, swing_eur_kwh=0.03, day_eur_kwh=0.04, noise_eur_kwh=0.01, spike_eur_kwh=0.1,
        spikes_per_day=spikes,
    )  # fmt: skip
    days = 1500
    fitted = fit_prices(draw_prices(np.random.default_rng(2), true, 24 * days).reshape(days, 24))
    assert fitted.mean_eur_kwh == pytest.approx(0.1, abs=4.0 * 0.04 / days**0.5)
    assert fitted.swing_eur_kwh == pytest.approx(0.03, rel=0.05)
    assert fitted.day_eur_kwh == pytest.approx(0.04, rel=0.08)
    assert fitted.noise_eur_kwh == pytest.approx(0.01, rel=0.05)
    assert fitted.spikes_per_day * fitted.spike_eur_kwh == pytest.approx(0.1 * spikes, rel=0.25, abs=0.002)
    assert not spikes or fitted.spike_eur_kwh == pytest.approx(0.1, rel=0.25)


def test_the_tool_prints_numbers_that_a_task_takes_and_judges_them_on_other_days(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert PRICES is not None
    path = write_drawn_table(tmp_path / "table.csv", PRICES, 60)
    assert tool.main([str(path), "--to", f"{day_of(40)}"]) == 0
    printed = capsys.readouterr().out
    numbers = [line for line in printed.splitlines() if "=" in line]
    task = read_task(write_task(tmp_path, *numbers, drop_numbers=True))
    assert task.prices is not None
    assert task.prices.swing_eur_kwh == pytest.approx(PRICES.swing_eur_kwh, rel=0.1)
    held = tool.describe_prices(read_price_table(path).hourly[40:])
    assert f"{held.of_days:.3f}  {held.of_hours:.3f}".split() == printed.splitlines()[-1].split()[-3:-1]
    assert tool.main([str(path), "--from", f"{day_of(70)}"]) == 2
    assert f"it holds {BEGIN:%Y-%m-%d}" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        tool.main([str(path), "--to", f"{day_of(40)}", "--judge-from", f"{day_of(30)}"])
