"""Capacity and end of life from per-cycle tables: on cells that were not taught, and never from a charge."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.errors import LogError
from drivers.model_file import read_model
from drivers.table_file import read_table
from tests.twin.health.synthetic_cycles import NAMES, make_cycles
from twin.health.capacity_model import score_capacity, teach_capacity
from twin.health.cell_split import find_held, make_folds
from twin.health.cycle_table import (
    choose_features,
    find_sound,
    is_forbidden,
    keep_varying,
    read_cycles,
    slide_median,
    view_rows,
)
from twin.health.end_of_life import find_life, score_life, teach_life
from twin.health.health_model import SCHEMA, HealthModel
from workbench.verbs.health_tables import SHIPPED

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def model() -> HealthModel:
    rows = make_cycles(16, 1)

    def ignore(done: float) -> None:
        """Show no progress."""

    taught = HealthModel(teach_capacity(rows, {}, ignore), teach_life(rows, 0.8, {}, ignore), {"command": "a test"})
    return HealthModel.decode(json.loads(json.dumps(taught.encode())))


def test_capacity_of_cells_that_were_not_taught(model: HealthModel) -> None:
    scores = score_capacity(model.capacity, make_cycles(6, 2))
    assert scores["rmse_pct"] < 1.0
    assert scores["coverage_95"] > 0.85
    assert scores["rejected"] < 0.05 * scores["rows"]


def test_end_of_life_from_the_first_third(model: HealthModel) -> None:
    assert model.life is not None
    scores = score_life(model.life, make_cycles(10, 3))
    assert scores["cells"] >= 8
    assert scores["median_error_pct"] < 15.0
    assert scores["coverage_90"] >= 0.6


def test_a_row_depends_on_no_later_row(model: HealthModel) -> None:
    rows = make_cycles(1, 4)
    early = np.arange(len(rows)) < 30
    whole, part = model.capacity.estimate(rows), model.capacity.estimate(rows.keep(early))
    np.testing.assert_allclose(whole.capacity_ah[:30], part.capacity_ah)


def test_the_estimate_does_not_read_the_capacity(model: HealthModel) -> None:
    rows = make_cycles(1, 4)
    blind = dataclasses.replace(rows, capacity_ah=None)
    np.testing.assert_array_equal(model.capacity.estimate(rows).capacity_ah, model.capacity.estimate(blind).capacity_ah)


def test_a_row_unlike_the_taught_ones_is_rejected_with_its_column(model: HealthModel) -> None:
    rows = make_cycles(1, 4)
    rows.values[5:, 1] *= 20.0
    reason = model.capacity.estimate(rows).reasons[40]
    assert NAMES[1] in reason
    assert np.isnan(model.capacity.estimate(rows).capacity_ah[40])


@pytest.mark.parametrize(
    "name", ["CC Q", "CV Q", "capacity_integrated_Ah", "SoH", "remaining_cycles", "Capacity [mAh]"]
)
def test_a_charge_is_never_a_feature(name: str, tmp_path: Path) -> None:
    assert is_forbidden(name)
    assert choose_features((name, "CC charge time")) == ("CC charge time",)
    (path := tmp_path / "t.csv").write_text(f"cell,{name},CC charge time\na,1.5,2.5\na,1.4,2.4\n")
    with pytest.raises(LogError, match="never a feature"):
        read_cycles(read_table(path), (name,))


def test_outliers_and_zeros_are_not_taught() -> None:
    rows = make_cycles(1, 5)
    assert rows.capacity_ah is not None
    rows.capacity_ah[[10, 20, 30]] = 0.0, 0.3, np.nan
    assert np.flatnonzero(~find_sound(rows)).tolist() == [10, 20, 30]


def test_rows_are_ordered_by_their_cycle_within_each_cell(tmp_path: Path) -> None:
    (path := tmp_path / "t.csv").write_text("cell,cycle,CC time,capacity\nb,2,1,1\na,2,22,1\nb,1,3,1\na,1,44,1\n")
    rows = read_cycles(read_table(path))
    assert rows.cell.tolist() == ["a", "a", "b", "b"]
    assert rows.row.tolist() == [5, 3, 4, 2]
    assert view_rows(rows, np.array([False]))[:, 0].tolist() == [44.0, 33.0, 3.0, 2.0]


def test_cells_of_one_name_are_not_mixed_but_named_by_several_columns(tmp_path: Path) -> None:
    lines = [f"{group},{cell},{rpt},{4.0 - 0.1 * rpt}" for group in "ab" for cell in ("C1", "C2") for rpt in (1, 2, 3)]
    (path := tmp_path / "t.csv").write_text("\n".join(["Group,Cell,RPT Number,CC time", *lines]))
    with pytest.raises(LogError, match=r"2 rows of cell C1 with rpt number 1; .*--cell-column Group,Cell"):
        read_cycles(read_table(path))
    rows = read_cycles(read_table(path), cell="Group, Cell")
    assert list(rows.group()) == ["a/C1", "a/C2", "b/C1", "b/C2"]
    assert rows.names == ("CC time",)


def test_what_is_the_same_in_every_row_teaches_nothing() -> None:
    rows = make_cycles(1, 6)
    rows.values[:, 0] = 25.0
    kept, left_out = keep_varying(rows)
    assert left_out == NAMES[:1]
    assert kept.names == NAMES[1:]
    np.testing.assert_array_equal(kept.values, rows.values[:, 1:])
    rows.values[:] = 25.0
    with pytest.raises(LogError, match=f"no feature varies: {NAMES[0]}"):
        keep_varying(rows)


def test_a_feature_of_two_values_makes_no_noise(recwarn: pytest.WarningsRecorder) -> None:
    rows = make_cycles(16, 7)
    rows.values[:] = np.round(rows.values[:, :1] > np.median(rows.values[:, 0]))
    model = teach_capacity(rows, {}, print)
    assert np.isfinite(model.estimate(rows).capacity_ah).mean() > 0.9
    assert not recwarn.list


def test_a_table_of_held_cells_alone_is_refused() -> None:
    rows = make_cycles(1, 8)
    with pytest.raises(LogError, match="a capacity is known of 0 cells"):
        teach_capacity(rows.keep(np.zeros(len(rows), dtype=np.bool_)), {}, print)


def test_life_ends_where_the_smoothed_capacity_is_below_the_share() -> None:
    fade = np.linspace(1.0, 0.7, 301)
    fade[50] = 0.0
    assert find_life(fade, 0.8) == pytest.approx(200, abs=3)
    assert find_life(fade, 0.5) is None


def test_a_sliding_median_leaves_out_what_is_missing() -> None:
    values = np.array([1.0, np.nan, 3.0, 10.0])
    assert slide_median(values, 3).tolist() == [1.0, 1.0, 2.0, 6.5]


def test_a_cell_is_in_one_part_of_a_split() -> None:
    cells = np.repeat([f"c{number}" for number in range(40)], 5)
    for parts in (find_held(cells), make_folds(cells)):
        assert all(len(set(parts[cells == cell].tolist())) == 1 for cell in set(cells.tolist()))
    assert 0.05 < find_held(cells).mean() < 0.5


def test_the_shipped_model_is_small_and_says_what_made_it() -> None:
    path = SHIPPED["severson"]
    shipped = read_model(path, SCHEMA, HealthModel.decode)
    assert path.stat().st_size < 200_000
    assert shipped.about["licence"] == "CC BY 4.0"
    assert shipped.about["held"]["capacity"]["rmse_pct"] <= 1.2
