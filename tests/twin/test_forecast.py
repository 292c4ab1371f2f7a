"""Forecasts: the duty, two models, an interval of their difference, and what ends one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet  # pyright: ignore[reportUnusedImport]  # what PARQUET names
import pytest

from drivers.errors import BenchFileError
from tests.twin.cell_physics import PHYSICS
from twin import forecast
from twin.cell_parameters import load_cell
from twin.duty_file import Duty, read_duty
from twin.forecast import CircuitModel, Course, compare_courses, run_course

if TYPE_CHECKING:
    from pathlib import Path

PYARROW: Any = pa  # carries no types
PARQUET: Any = PYARROW.parquet
AMBIENT_K = 298.15


def write(tmp_path: Path, text: str) -> Path:
    (tmp_path / "duty.csv").write_text(text, encoding="utf-8")
    return tmp_path / "duty.csv"


def test_a_duty_keeps_its_charge_in_steps_of_any_length_and_repeats() -> None:
    duty = Duty("current_a", np.array([0.0, 10.0, 30.0]), np.array([3.0, -1.0, 9.0]))
    times_s = np.linspace(0.0, 75.0, 12)
    means = duty.average(times_s[:-1], times_s[1:])
    assert float(means @ np.diff(times_s)) == pytest.approx(2 * (30.0 - 20.0) + 30.0 - 5.0)
    assert means[0] == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("time_s,amps\n0,1\n1,2\n", 1, "has the columns time_s, amps, not time_s and one of current_a, power_w"),
        ("time_s,current_a,power_w\n0,1,1\n", 1, "and one of"),
        ("time_s,current_a\n0,1\n1,x\n2,1\n", 3, "column current_a is 'x', not a number"),
        ("time_s,current_a\n0,1\n1,nan\n2,1\n", 3, "column current_a is 'nan'"),
        ("time_s,current_a\n0,1\n2\n", 3, "column current_a is ''"),
        ("time_s,current_a\n0,1\n2,1\n1,1\n", 4, "column time_s is 1 s after 2 s"),
        ("time_s,current_a\n0,1\n", None, "has 1 rows"),
        ("", 1, "has the columns none"),
    ],
)
def test_a_mistake_in_a_duty_is_named_with_file_row_and_column(
    tmp_path: Path, text: str, line: int | None, says: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(BenchFileError) as caught:
        read_duty(path)
    assert says in str(caught.value)
    assert (caught.value.where, caught.value.line) == (str(path), line)


def test_a_duty_in_parquet_is_the_same_and_a_mistake_names_its_row(tmp_path: Path) -> None:
    columns = {"time_s": [0.0, 10.0, 30.0], "c_rate": [0.5, -0.2, 0.0], "note": ["a", "b", "c"]}
    PARQUET.write_table(PYARROW.table(columns), tmp_path / "duty.parquet")
    plain, table = (
        read_duty(write(tmp_path, "time_s,c_rate\n0,0.5\n10,-0.2\n30,0\n")),
        read_duty(tmp_path / "duty.parquet"),
    )
    assert (plain.kind, plain.values.tolist()) == (table.kind, table.values.tolist())
    assert plain.time_s.tolist() == table.time_s.tolist()
    PARQUET.write_table(PYARROW.table({**columns, "c_rate": [0.5, None, 0.0]}), tmp_path / "duty.parquet")
    with pytest.raises(BenchFileError, match="column c_rate is 'None', not a number") as caught:
        read_duty(tmp_path / "duty.parquet")
    assert caught.value.line == 2, "the second row of the table"
    (tmp_path / "duty.parquet").write_bytes(b"PAR1 is not all")
    with pytest.raises(BenchFileError, match="cannot be read as Parquet"):
        read_duty(tmp_path / "duty.parquet")


def test_power_and_rate_become_the_current_of_the_cell(tmp_path: Path) -> None:
    cell, times_s = load_cell(), forecast.plan_steps(60.0)
    courses: dict[str, Course] = {}
    for kind, value in (("c_rate", 0.5), ("current_a", 2.5), ("power_w", 9.0)):
        duty = read_duty(write(tmp_path, f"time_s,{kind}\n0,{value}\n60,0\n"))
        courses[kind] = run_course(CircuitModel(cell, 0.6, AMBIENT_K), cell, duty, times_s, AMBIENT_K)
    assert courses["c_rate"].rows == courses["current_a"].rows
    assert courses["power_w"].rows[-1][4] * 3600.0 / 60.0 == pytest.approx(9.0, rel=2e-3)


def test_a_forecast_ends_at_the_limit_of_the_cell_and_says_when() -> None:
    cell = load_cell()
    duty = Duty("c_rate", np.array([0.0, 3600.0]), np.array([1.0, 0.0]))
    course = run_course(CircuitModel(cell, 0.1, AMBIENT_K), cell, duty, np.linspace(0.0, 3600.0, 361), AMBIENT_K)
    assert "past the cell's 2.5 V" in course.ended or "table ends" in course.ended
    assert course.rows[-1][0] < 600.0


def test_the_interval_is_how_far_the_models_were_apart_and_never_narrows() -> None:
    rows = [(1.0, 3.7, 300.0, 1.0, 1.0), (2.0, 3.6, 300.5, 1.0, 2.0), (3.0, 3.6, 301.0, 1.0, 3.0)]
    others = [(1.0, 3.7, 300.0, 1.0, 1.1), (2.0, 3.64, 300.5, 1.0, 2.1), (3.0, 3.61, 301.0, 1.0, 3.0)]
    found = compare_courses([Course("DFN", rows, lost_ah=3e-6), Course("SPMe", [*others, others[-1]], lost_ah=1e-6)])
    assert found.voltage_half_v is not None
    assert found.voltage_half_v == pytest.approx([0.0, 0.04, 0.04])
    assert found.lost_ah_day == pytest.approx((3e-6 / 3.0 * 86400.0, 1e-6 / 3.0 * 86400.0))
    alone = compare_courses([Course("circuit", rows)])
    assert alone.voltage_half_v is None
    assert alone.lost_ah_day == ()


@pytest.mark.long
def test_both_forms_of_a_cell_bracket_each_other_and_a_set_of_its_own_ages() -> None:
    from dataclasses import replace  # noqa: PLC0415  # only here

    cell = replace(load_cell(), physics=PHYSICS._replace(parameter_set="OKane2022"))
    duty = Duty("c_rate", np.array([0.0, 600.0, 1200.0]), np.array([-0.8, 0.8, 0.0]))
    times_s = forecast.plan_steps(1200.0, 40)
    courses = [
        run_course(forecast.build_model(name, cell, 0.6, AMBIENT_K), cell, duty, times_s, AMBIENT_K)
        for name in forecast.choose_models(cell)
    ]
    found = compare_courses(courses)
    assert found.models == ("DFN", "SPMe")
    assert found.time_s[-1] == 1200.0
    assert found.voltage_half_v is not None
    assert 0.5e-3 < found.voltage_half_v[-1] < 0.1
    assert len(found.lost_ah_day) == 2
    assert min(found.lost_ah_day) > 0.0
    assert not forecast.ages(load_cell())  # whose ageing parameters are examples of another paper
