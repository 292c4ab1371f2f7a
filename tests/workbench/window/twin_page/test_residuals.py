"""How the table of a twin is reduced for the plots."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet  # pyright: ignore[reportUnusedImport]  # what PARQUET names
import pytest

from workbench.modelling import log_twin
from workbench.window.twin_page.model import MODELS, LayRequest, pool_bins, pool_rmse
from workbench.window.twin_page.residuals import POINTS, bin_residual, thin_curve
from workbench.window.twin_page.twin_tasks import find_percent, lay

PYARROW: Any = pa  # carries no types
PARQUET: Any = PYARROW.parquet
FAKE = Path(__file__).with_name("fake_verbs.py")
NOISE = np.random.default_rng(7)


class StubReporter:
    """Reports to nobody."""

    def report(self, fraction: float | None, sentence: str = "") -> bool:
        del fraction, sentence
        return True

    def check(self) -> None: ...

    def send(self, message: object) -> None: ...

    def poll(self) -> None: ...

    def newest(self) -> None: ...


def test_the_table_of_a_verb_comes_back_reduced(tmp_path: Path) -> None:
    residual_v = np.array([0.010, 0.010, -0.030, np.nan])
    columns = {
        "time_s": np.array([5.0, 6.0, 7.0, 8.0]),
        "soc": np.array([0.99, 0.98, 0.52, 0.51]),
        "voltage_v": np.array([4.0, 3.9, 3.5, 3.4]),
        "voltage_model_v": np.array([4.0, 3.9, 3.5, 3.4]) + residual_v,
        "residual_v": residual_v,
        "temperature_k": np.full(4, np.nan),
        "temperature_model_k": np.full(4, 298.15),
    }
    PARQUET.write_table(PYARROW.table(columns), tmp_path / "log.parquet")
    body = {"rmse_mv": {"25": 19.1}, "rmse_k": None, "soc0": 0.99, "notes": ["one"], "twin_notes": ["two"]}
    body |= {"reason": "", "reason_k": "known for 75.0 % of the samples, 99 % are needed"}
    (tmp_path / "log.json").write_text(json.dumps(body))
    request = LayRequest(tmp_path / "log.csv", "chen2020")
    twin = lay(StubReporter(), request, [sys.executable, str(FAKE), *request.words])
    assert twin is not None
    why = "RMSE of the temperature is not judged: known for 75.0 % of the samples, 99 % are needed"
    assert (twin.rmse_v, twin.soc0, twin.rows, twin.notes) == (pytest.approx(0.0191), 0.99, 4, ("one", "two", why))
    assert np.isnan(twin.rmse_k)
    assert twin.measured.x == (0.0, 1.0, 2.0, 3.0), "from the start of the log"
    assert twin.residual.y == (0.010, 0.010, -0.030)
    assert [(one.centre, one.count, one.rmse) for one in twin.by_soc] == [
        (pytest.approx(0.525), 1, pytest.approx(0.030)),
        (pytest.approx(0.975), 2, pytest.approx(0.010)),
    ]
    assert twin.by_kelvin == ()


def test_models_are_those_of_the_verb() -> None:
    assert MODELS == log_twin.MODELS


def test_a_thinned_curve_keeps_every_extreme_in_the_order_of_time() -> None:
    time_s, values = np.arange(50_000.0), NOISE.normal(size=50_000)
    values[12_345], values[40_000], values[77] = 9.0, -9.0, np.nan
    thin = thin_curve(time_s, values)
    assert len(thin.x) <= 2 * POINTS
    assert (max(thin.y), min(thin.y)) == (9.0, -9.0)
    assert (thin.x[thin.y.index(9.0)], list(thin.x)) == (12_345.0, sorted(thin.x))
    assert thin_curve(time_s[:3], values[:3]).y == tuple(values[:3])


def test_bins_hold_the_sums_of_their_rows_and_pool_as_one_log() -> None:
    soc, residual_v = NOISE.uniform(0.0, 1.0, 4000), NOISE.normal(0.003, 0.01, 4000)
    soc[5] = np.nan
    bins = bin_residual(soc, residual_v, 0.05)
    third = (soc >= 0.1) & (soc < 0.15)
    assert bins[2].centre == pytest.approx(0.125)
    assert bins[2].mean == pytest.approx(float(residual_v[third].mean()))
    assert bins[2].rmse == pytest.approx(float(np.sqrt(np.mean(residual_v[third] ** 2))))
    assert sum(one.count for one in bins) == 3999
    pooled = pool_bins([bin_residual(soc[part], residual_v[part], 0.05) for part in (slice(900), slice(900, None))])
    assert [one.count for one in pooled] == [one.count for one in bins]
    assert [one.rmse for one in pooled] == pytest.approx([one.rmse for one in bins])
    assert bin_residual(np.full(3, np.nan), residual_v[:3], 0.05) == ()


def test_rmse_pools_known_tests_and_percent_is_read_from_a_line() -> None:
    assert pool_rmse([3.0, 4.0, float("nan")]) == pytest.approx(12.5**0.5)
    assert np.isnan(pool_rmse([]))
    assert find_percent("fitting LG 18650HG2: 49 %") == pytest.approx(0.49)
    assert find_percent("voltage RMSE above 20 % SoC 3 mV") is None
