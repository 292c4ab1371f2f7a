"""Estimates and forecasts by API, end to end: rows and bundle in the database, a process that computes, the result."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import pytest

from edge_bridge import metrics
from tests.edge_bridge.fleet.pack import START_MS, Pack
from tests.edge_bridge.fleet.twins.conftest import CELLS, CURRENT_A, FIRST_MS, ROWS, STEP_MS, make_pack, make_row
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.edge_bridge.fleet.api.served import Served

pytestmark = pytest.mark.timeout(1_000)
LONG_S: Final = 450.0  # models are imported and compiled by a process of low priority
CELL_AH, PARALLEL = 5.0, 12  # of the emulated bench
BANDS: Final = ("soc", "cell_voltage_v", "pack_voltage_v", "temperature_k", "energy_wh")


def ask(fleet: Served, what: str, **body: Any) -> Any:
    """Ask for a job and wait for its end."""
    made = fleet.client.request("POST", f"/devices/pack-1/{what}", json=body)
    assert made.status_code == 202, made.text
    place = made.headers["Location"].removeprefix("/api/v1")
    assert place == f"/jobs/{made.json()['id']}"

    def find_end() -> Any:
        job = fleet.get(place)
        return job if job["ended_ms"] is not None else None

    return wait_until(find_end, LONG_S, "the end of the job", every_s=0.05)


def test_a_forecast_goes_on_with_the_current_of_the_rows(fleet: Served) -> None:
    job = ask(fleet, "forecasts", hours=2, quick=True)
    assert (job["state"], job["problem"], job["progress"]) == ("done", None, 1.0)
    found = job["forecast"]
    assert found["models"] == ["circuit"]
    assert found["duty_known"] == pytest.approx(1.0, abs=0.01)
    assert found["start_ms"] == pytest.approx(START_MS, abs=STEP_MS)
    assert found["current_a"][1:] == pytest.approx([CURRENT_A] * (len(found["t_ms"]) - 1), rel=0.02)
    spent = CURRENT_A * 2.0 / (CELL_AH * PARALLEL * 0.8)  # of the capacity that is left
    start = 0.7 - CURRENT_A * 2.0 / 60.0
    assert found["soc"]["mean"][-1] == pytest.approx(start - spent, abs=0.02)
    assert found["soc"]["mean"][-1] == pytest.approx(found["start"]["soc"] - spent, rel=0.04)
    half = found["soc"]["high"][-1] - found["soc"]["mean"][-1]
    assert half == pytest.approx(2 * 0.01 + spent * 2 * 0.02 / 0.8, rel=0.1), "of the start, and of the capacity"
    energy = found["energy_wh"]["mean"][-1]
    assert energy == pytest.approx(2.0 * CURRENT_A * CELLS * 3.6, rel=0.1)
    for name in BANDS:
        low, mean, high = (found[name][part] for part in ("low", "mean", "high"))
        assert all(one <= two <= three for one, two, three in zip(low, mean, high, strict=True))
        widths = [above - below for above, below in zip(high, low, strict=True)]
        assert all(after >= before - 1e-4 for before, after in pairwise(widths)), name
    cells = [CELLS * one for one in found["cell_voltage_v"]["mean"]]
    assert found["pack_voltage_v"]["mean"] == pytest.approx(cells, abs=CELLS * 1e-5)  # of rounded numbers


def test_a_given_duty_replaces_that_of_the_rows(fleet: Served) -> None:
    duty = {"time_s": [0.0, 1_800.0, 3_600.0], "current_a": [24.0, -24.0, 0.0]}
    found = ask(fleet, "forecasts", hours=1, quick=True, duty=duty)["forecast"]
    assert found["duty"] == "given"
    assert found["soc"]["mean"][-1] == pytest.approx(found["start"]["soc"], abs=0.005), "in and out again"
    lowest = min(found["soc"]["mean"])
    assert lowest == pytest.approx(found["start"]["soc"] - 12.0 / (CELL_AH * PARALLEL * 0.8), abs=0.01)


def test_a_forecast_says_when_the_cell_would_leave_its_limits(fleet: Served) -> None:
    duty = {"time_s": [0.0, 3_600.0], "current_a": [60.0, 0.0]}
    found = ask(fleet, "forecasts", hours=2, quick=True, duty=duty)["forecast"]
    assert found["ended"], "a discharge at 1.25 C of the capacity that is left empties it"
    assert found["t_ms"][-1] < found["start_ms"] + 2 * 3_600_000


@pytest.mark.slow
def test_two_physical_models_make_the_band_wider(fleet: Served) -> None:
    best, quick = (ask(fleet, "forecasts", hours=1, quick=quick)["forecast"] for quick in (False, True))
    assert best["models"] == ["DFN", "SPMe"]
    widths = [one["cell_voltage_v"]["high"][-1] - one["cell_voltage_v"]["low"][-1] for one in (best, quick)]
    assert widths[0] > widths[1] > 0.0


def test_estimates_stand_beside_what_the_device_told(fleet: Served) -> None:
    found = ask(fleet, "estimates", hours=3)["estimates"]
    assert (found["trouble"], found["estimator"]) == ("", "twin.ekf")
    assert found["rows"] == ROWS
    assert found["t_ms"][0] > FIRST_MS - STEP_MS
    assert found["told"]["soc"][0] == pytest.approx(0.7, abs=0.002)
    assert set(found["told"]["soh"]) == {0.8}
    computed = [one for one in found["computed"]["soc"] if one is not None]
    assert len(computed) == len(found["t_ms"])
    # 3.7 V a cell at 0.5 A: the estimator must come to the charge at which the circuit has this voltage, near one half
    assert 0.35 < computed[-1] < 0.65
    stds = [one for one in found["computed"]["soc_std"] if one is not None]
    assert 0.0 < stds[-1] < stds[0], "the rows teach it something"
    assert any("mean voltage" in words for words in found["assumed"])


def test_without_the_bundle_the_rows_alone_answer_and_no_forecast_is_made(fleet: Served) -> None:
    pack = make_pack("pack-2")
    fleet.desk.hear(pack.birth(Bundle_Sha256="ab" * 32))
    fleet.desk.hear(*(make_row(pack, number) for number in range(1, 20)))
    for what, body in (("estimates", {}), ("forecasts", {"quick": True})):
        made = fleet.ask("POST", f"/devices/pack-2/{what}", 202, json=body)
        job = wait_until(
            lambda made=made: (one := fleet.get(f"/jobs/{made['id']}"))["ended_ms"] and one, LONG_S, every_s=0.05
        )
        if what == "estimates":
            assert job["estimates"]["computed"] is None
            assert "does not have the bundle" in job["estimates"]["trouble"]
            assert job["estimates"]["told"]["soc"][0] == pytest.approx(0.7, abs=0.002)
        else:
            assert (job["state"], job["forecast"]) == ("failed", None)
            assert job["problem"]["type"] == "urn:pulsebms:problem:no-model"


def test_what_cannot_be_asked_is_refused(fleet: Served) -> None:
    fleet.desk.hear(Pack("pack-3").birth())
    assert fleet.ask("POST", "/devices/pack-3/forecasts", 409, json={})["type"] == "urn:pulsebms:problem:no-rows"
    fleet.ask("POST", "/devices/nobody/estimates", 404, json={})
    wrong = {"time_s": [0.0, 0.0], "current_a": [1.0, 1.0]}
    fleet.ask("POST", "/devices/pack-1/forecasts", 422, json={"duty": wrong})
    fleet.ask("POST", "/devices/pack-1/estimates", 422, json={"hours": 25})
    fleet.get("/jobs/" + "0" * 16, 404)


def test_rows_hold_what_the_jobs_read() -> None:
    """A column that is renamed must be renamed in `COLUMNS` too."""
    from edge_bridge.fleet.columns import COLUMN_OF  # noqa: PLC0415  # only here
    from edge_bridge.fleet.twins.twin_order import COLUMNS  # noqa: PLC0415  # only here

    wanted = (
        *(metrics.CURRENT, metrics.VOLTAGE, metrics.SOC, metrics.SOC_STD),
        *(metrics.SOH, metrics.SOH_STD, metrics.TEMPERATURE),
    )
    assert tuple(COLUMN_OF[name].name for name in wanted) == COLUMNS
