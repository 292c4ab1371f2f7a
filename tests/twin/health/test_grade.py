"""Grading by pulses: right on cells that were not taught, and silent where it was taught nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from drivers.errors import LogError
from drivers.model_file import read_model
from drivers.table_file import read_table
from tests.twin.health.synthetic_pulses import NOMINAL_AH, join, make_pulses
from twin.health.cell_split import find_held
from twin.health.grade_model import SCHEMA, GradeModel, PulseGrade, Rejection, combine_grades, reject
from twin.health.grade_scores import score_grades
from twin.health.grade_training import PulseRows, teach
from twin.health.pulse_set import VOLTAGES
from workbench.verbs.grade import SHIPPED

DATA = Path(os.environ.get("PULSEBMS_DATA", Path(__file__).parents[4] / "shared" / "data")) / "secondlife_pulsebat"


def ignore(title: str, done: float) -> None:
    """Show no progress."""


@pytest.fixture(scope="module")
def model() -> GradeModel:
    taught = teach(join(make_pulses("LMO", 24, 1), make_pulses("NMC", 24, 2)), {"command": "a test"}, ignore)
    return GradeModel.decode(json.loads(json.dumps(taught.encode())))


def grade_one(model: GradeModel, volts: object, nominal_ah: float) -> PulseGrade:
    return model.grade(np.array([volts], dtype=np.float64), np.array([nominal_ah]))[0]


def test_cells_that_were_not_taught_are_graded_and_their_intervals_hold(model: GradeModel) -> None:
    scores = score_grades(model, join(make_pulses("LMO", 12, 5), make_pulses("NMC", 12, 6)))
    assert scores["mape_pct"] < 1.5
    assert scores["rejected"] < 0.1 * scores["rows"]
    assert scores["coverage_95"] >= 0.85


def test_a_nominal_capacity_that_was_not_taught_is_refused(model: GradeModel) -> None:
    lfp = make_pulses("LFP", 3, 7)
    assert all(one.rejection is Rejection.UNTAUGHT for one in model.grade(lfp.volts, lfp.nominal_ah))


@pytest.mark.parametrize(("chemistry", "as_if"), [("LFP", "LMO"), ("LFP", "NMC"), ("NMC", "LMO"), ("LMO", "NMC")])
def test_pulses_of_another_chemistry_are_refused_under_a_taught_nominal_capacity(
    chemistry: str, as_if: str, model: GradeModel
) -> None:
    rows = make_pulses(chemistry, 6, 8)
    grades = model.grade(rows.volts, np.full(len(rows), NOMINAL_AH[as_if]))
    assert np.mean([one.is_rejected for one in grades]) > 0.95


@pytest.mark.parametrize(
    ("place", "volts", "words"),
    [(4, np.nan, "U5 has no value"), (3, 3512.0, "outside 1 to 5 V"), (1, 2.0, "U2 does not rise above U1")],
)
def test_a_row_that_no_pulse_test_gives_is_rejected_with_its_voltage(
    place: int, volts: float, words: str, model: GradeModel
) -> None:
    row = make_pulses("NMC", 1, 9).volts[0].copy()
    row[place] = volts
    assert words in grade_one(model, row, NOMINAL_AH["NMC"]).reason
    assert not np.isfinite(grade_one(model, row, NOMINAL_AH["NMC"]).capacity_ah)


def test_a_type_of_few_cells_is_not_taught() -> None:
    with pytest.raises(LogError, match="has 3 cells"):
        teach(make_pulses("NMC", 3, 1), {}, ignore)


def test_several_tests_of_a_cell_give_one_grade() -> None:
    none = reject(Rejection.OUTSIDE, "a reason", "NMC")
    both = combine_grades([PulseGrade(10.0, 9.0, 11.0, "NMC"), none, PulseGrade(10.0, 8.0, 12.5, "NMC")])
    assert both is not None
    assert both.capacity_ah == pytest.approx(10.0)
    assert both.low_ah == pytest.approx(np.sqrt(72.0))
    assert combine_grades([none]) is None


def test_the_shipped_model_is_small_and_says_what_made_it() -> None:
    about = read_model(SHIPPED, SCHEMA, GradeModel.decode).about
    assert SHIPPED.stat().st_size < 200_000
    assert about["licence"] == "MIT"
    assert all(about[name] for name in ("command", "dataset", "split", "held"))


@pytest.mark.skipif(not DATA.is_dir(), reason="PulseBat (shared/data/secondlife_pulsebat) is not here")
def test_the_shipped_model_grades_held_cells_of_pulsebat() -> None:
    shipped, parts = read_model(SHIPPED, SCHEMA, GradeModel.decode), list[PulseRows]()
    for path in sorted(DATA.glob("*.csv")):
        table = read_table(path, VOLTAGES)
        cell = np.array([name.partition("-")[0] for name in table.take_texts("ID").tolist()])
        volts = np.column_stack([table.take_numbers(name) for name in VOLTAGES])
        parts.append(PulseRows(volts, table.take_numbers("Qn"), table.take_numbers("Q"), table.take_texts("Mat"), cell))
    rows = join(*parts)
    scores = score_grades(shipped, rows.keep(find_held(rows.cell)))
    assert scores["mape_pct"] <= 2.5
    assert scores["mape_pct"] == pytest.approx(shipped.about["held"]["mape_pct"], rel=1e-3)
