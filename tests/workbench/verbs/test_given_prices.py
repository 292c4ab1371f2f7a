"""The options `--prices...`: the same for every verb that runs a task, and what they answer."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import workbench.cli
from control.tasks.task import ControlTask, find_task, read_task
from drivers.errors import BenchFileError, Usage
from tests.control.rl.handmade import make_policy
from tests.control.tasks.price_tables import BEGIN, write_table
from tests.control.tasks.small import write_task
from workbench.report import Report
from workbench.verbs import promote, shadow
from workbench.verbs.given_prices import NO_PRICES, GivenPrices

if TYPE_CHECKING:
    from control.tasks.promotion_judge import JudgeEffort

TASK = read_task(find_task("arbitrage"))


def test_without_options_a_task_stays_as_it_is() -> None:
    report = Report("shadow", as_json=True)
    assert NO_PRICES.apply(report, TASK) is TASK
    assert "prices" not in report.body


def test_a_table_is_reported_with_its_days(tmp_path: Path) -> None:
    report = Report("shadow", as_json=True)
    given = GivenPrices(write_table(tmp_path / "t.csv", 5), begin=BEGIN.replace(day=2))
    task = given.apply(report, TASK)
    assert task.sha256 == TASK.sha256
    about = report.body["prices"]
    assert (about["table"], about["first"], about["days"], about["from"]) == ("t.csv", "2022-01-02", 4, "2022-01-02")


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (GivenPrices(begin=BEGIN), Usage, "without --prices"),
        (GivenPrices(unit="EUR/MWh"), Usage, "without --prices"),
        (GivenPrices(Path("t.csv"), begin=BEGIN, end=BEGIN), Usage, "is not after"),
        (GivenPrices(Path("t.csv"), fit_begin=BEGIN), Usage, "needs a begin"),
    ],
)
def test_options_that_do_not_fit_each_other_are_refused(given: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        given.apply(Report("shadow", as_json=True), TASK)


@pytest.mark.parametrize("verb", ["train", "shadow", "promote"])
def test_each_verb_that_takes_a_task_takes_prices(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (policy := tmp_path / "policy.onnx").write_bytes(make_policy(TASK))
    out = str(tmp_path / "out")
    words = {
        "train": ["arbitrage", "--out", out],
        "shadow": ["--candidate", str(policy), "--active", "rule", "--instead", "rule"],
        "promote": [str(policy), "--out", out],
    }
    options = ["--prices", str(tmp_path / "none.csv"), "--prices-from", "2022-01-01", "--prices-unit", "EUR/kWh"]
    with pytest.raises(SystemExit) as ended:
        workbench.cli.app([verb, *words[verb], *options])
    assert ended.value.code == 2
    assert "none.csv cannot be read" in capsys.readouterr().err


def test_a_shadow_runs_on_the_table_and_tells_of_days_of_the_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, task = write_table(tmp_path / "t.csv", 3, price=lambda row: 100.0 + 50.0 * (row % 5)), write_task(tmp_path)
    seen = GivenPrices(table).apply(Report("shadow", as_json=True), read_task(task)).market
    assert seen is not None
    (policy := tmp_path / "policy.onnx").write_bytes(make_policy(read_task(task), price_days=seen.table.day_hashes[:2]))
    report = Report("shadow")
    given = GivenPrices(table, end=datetime(2022, 1, 4))  # noqa: DTZ001  # a table without a time zone
    shadow.main(report, "rule", str(policy), 1, str(task), instead="rule", seed=1, processes=1, prices=given)
    printed = capsys.readouterr().out
    assert "prices of t.csv, price (EUR/MWh): 3 whole days from 2022-01-01 to 2022-01-03, 0 skipped" in printed
    assert "2 days of the price table were in the training" in printed
    assert report.body["trained_days"] == 2


def test_a_table_of_few_days_shortens_a_judgement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    efforts = list["JudgeEffort"]()

    class Judge:
        def __init__(self, path: Path, task: ControlTask, rules: Any, effort: JudgeEffort, say: Any) -> None:
            efforts.append(effort)

        def run(self) -> tuple[()]:
            return ()

    monkeypatch.setattr(promote, "PromotionJudge", Judge)
    (policy := tmp_path / "policy.onnx").write_bytes(make_policy(TASK))
    for prices in (NO_PRICES, GivenPrices(write_table(tmp_path / "t.csv", 5))):
        report = Report("promote", as_json=True)
        assert not promote.main(report, policy, tmp_path, None, (None, None, None), prices=prices)
        assert ("prices" in report.body["result"]) is (prices is not NO_PRICES)
    assert [effort.days for effort in efforts] == [100, 5]


def test_a_bad_table_is_refused_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("time,price\n2022-01-01 00:00,1\n")
    with pytest.raises(BenchFileError, match="does not say the unit"):
        GivenPrices(tmp_path / "t.csv").apply(Report("shadow", as_json=True), TASK)
