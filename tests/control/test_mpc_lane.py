"""The MPC as a lane: on plants that it does not know, and where its solver fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from control import mpc
from control.mpc_fallback import KEPT, FallbackChain
from control.ports import CurrentRange, Fallback, Plan
from drivers.errors import BenchFileError
from drivers.snapshot import Estimate, PackReading
from twin import ecm
from twin.cell_parameters import load_cell
from twin.ports import PackSpec, PackState
from twin.smooth_cell import fit_cell

if TYPE_CHECKING:
    from pathlib import Path

PARALLEL = 12
WIDE = CurrentRange(60.0, 60.0)
BELIEF = Estimate(np.full(2, 0.6), np.full(2, 0.01))


def lane(tmp_path: Path, current_a: float, **settings: Any) -> Any:
    path = tmp_path / "duty.csv"
    path.write_text(f"t_s,current_a\n0,{current_a}\n1000,{current_a}\n")
    pack = PackSpec(2, PARALLEL, 5.0, np.full(2, 0.6), np.ones(2), np.ones(2), 298.15)
    return mpc.build(pack, {"file": str(path), **settings})


def test_it_keeps_the_lowest_cell_above_its_limit_on_a_plant_it_does_not_know(tmp_path: Path) -> None:
    controller = lane(tmp_path, 50.0, voltage_v=[3.60, 4.18])
    soc, current_a, slow_v, lowest, volts = 0.5, 0.0, 0.0, 9.0, np.empty(2)
    for turn in range(6000):
        drop_v = 0.0026 * current_a + slow_v  # a third more resistance than the model has
        slow_v += 0.01 / 30.0 * (0.0012 * current_a - slow_v)
        ocv = float(fit_cell(load_cell()).compute_ocv(soc)) + 0.01
        volts = np.array([ocv - drop_v, ocv - 0.015 - 1.05 * drop_v])
        reading = PackReading(turn * 0.01, current_a, np.zeros(2), volts, np.full(2, 299.0))
        current_a = controller.decide(reading, Estimate(np.full(2, soc), np.full(2, 0.01)), WIDE, 0.01).current_a
        soc -= current_a * 0.01 / 3600.0 / 60.0
        lowest = min(lowest, volts.min()) if turn > 500 else lowest
    assert lowest > 3.60 - 0.003
    assert volts.min() < 3.60 + 0.003
    assert 0.0 < current_a < 50.0


def rest(current_a: float = 25.0) -> PackReading:
    return PackReading(0.0, current_a, np.zeros(2), np.full(2, 3.7), np.full(2, 298.15))


def gives_up(_: object) -> Any:
    return "not solved"


def test_while_no_plan_is_found_it_follows_the_last_then_less_then_nothing_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller = lane(tmp_path, 25.0)
    before = [controller.decide(rest(), BELIEF, WIDE, 0.1) for _ in range(5)][-1]
    with monkeypatch.context() as patched:
        patched.setattr("piqp.SparseSolver.solve", gives_up)
        during = [controller.decide(rest(), BELIEF, WIDE, 0.1) for _ in range(40)]
    after = [controller.decide(rest(), BELIEF, WIDE, 0.1) for _ in range(3)][-1]
    assert (before.current_a, before.violations) == (pytest.approx(25.0, abs=0.02), 0)
    assert (before.fallback, before.note) == (Fallback.NONE, "")
    assert list(dict.fromkeys(one.fallback for one in during)) == [Fallback.SHIFTED, Fallback.DERATED, Fallback.ZERO]
    kept = 24 // KEPT
    assert [one.current_a for one in during[:kept]] == pytest.approx([25.0] * kept, abs=0.1)
    derated = [one.current_a for one in during if one.fallback is Fallback.DERATED]
    assert (np.diff(derated) < 0.0).all()
    assert during[-1].current_a == 0.0
    assert [one.note for one in (during[0], during[-1])] == [
        "no new plan was found: the last plan, one step on",
        "no new plan was found: no current",
    ]
    assert during[-1].violations == 40
    assert (after.current_a, after.fallback, after.violations) == (pytest.approx(25.0, abs=0.02), Fallback.NONE, 40)


@pytest.mark.parametrize("unknown", ["voltage_v", "temperature_k"])
def test_a_value_that_is_not_known_ends_the_current_at_once_with_a_reason(tmp_path: Path, unknown: str) -> None:
    controller, seen = lane(tmp_path, 25.0), rest()
    assert [controller.decide(rest(), BELIEF, WIDE, 0.1) for _ in range(5)][-1].current_a > 20.0
    getattr(seen, unknown)[1] = np.nan
    decision = controller.decide(seen, BELIEF, WIDE, 0.1)
    assert (decision.current_a, decision.fallback) == (0.0, Fallback.ZERO)
    assert decision.note == "a measured value is not known: no current"
    assert controller.decide(rest(), BELIEF, WIDE, 0.1).fallback is Fallback.NONE


def test_a_fallback_stays_within_what_the_shield_allows() -> None:
    chain, safe = FallbackChain(60.0, 8), CurrentRange(5.0, 12.0)
    assert chain.accept(40.0).fallback is Fallback.NONE
    assert [chain.choose(40.0, safe, "why").current_a for _ in range(3)] == [12.0, 12.0, pytest.approx(9.6)]
    assert chain.choose(40.0, CurrentRange(0.0, 0.0), "why").fallback is Fallback.ZERO
    assert chain.choose(40.0, safe, "why").fallback is Fallback.ZERO, "zero stays until there is a new plan"


def test_the_plan_ahead_can_be_read_in_amperes(tmp_path: Path) -> None:
    controller = lane(tmp_path, 25.0, horizon=10, step_s=0.25)
    for _ in range(3):
        controller.decide(rest(), BELIEF, WIDE, 0.1)
    assert controller.plan_step_s == 0.25
    assert controller.plan_a == pytest.approx(np.full(10, 25.0), abs=0.05)
    assert controller.plan_ahead == Plan(0.25, tuple(controller.plan_a.tolist()))


def test_while_a_plan_is_made_the_last_one_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    controller, seen = lane(tmp_path, 25.0, horizon=10, step_s=0.25), list[Plan]()
    for _ in range(3):
        controller.decide(rest(), BELIEF, WIDE, 0.1)
    before, own = controller.plan_ahead, controller.plan

    def read_after(name: str) -> None:
        work: Any = getattr(own, name)

        def do(*given: Any) -> Any:
            result = work(*given)
            seen.append(controller.plan_ahead)
            return result

        monkeypatch.setattr(own, name, do)

    read_after("shift")
    read_after("solve")
    controller.decide(rest(), BELIEF, CurrentRange(60.0, 10.0), 0.25)
    assert seen == [before, before], "shifted and solved, but not decided on"
    assert controller.plan_ahead.current_a == pytest.approx([10.0] * 10, abs=0.05)


def test_a_plating_limit_reduces_a_charge(tmp_path: Path) -> None:
    free, kept = (lane(tmp_path, -55.0, **more) for more in ({}, {"plating_v": 0.02}))
    seen, belief = rest(0.0), Estimate(np.full(2, 0.7), np.full(2, 0.01))
    seen.voltage_v[:] = 3.9
    last = [[one.decide(seen, belief, WIDE, 0.1) for _ in range(8)][-1].current_a for one in (free, kept)]
    assert last[0] == pytest.approx(-55.0, abs=0.1)
    assert -50.0 < last[1] < -5.0


@pytest.mark.parametrize(
    ("wanted_a", "begins_k"), [pytest.param(60.0, 298.15, marks=pytest.mark.long), (-40.0, 303.15)]
)
def test_it_brings_the_hottest_cell_to_its_limit_without_swinging(
    tmp_path: Path, wanted_a: float, begins_k: float
) -> None:
    """The plant resists up to a fifth more than the model; from 30 degC it begins above the limit of 27 degC."""
    controller, soc = (
        lane(tmp_path, wanted_a, temperature_degc=27.0, horizon=6),
        np.full(2, 0.8 if wanted_a > 0.0 else 0.3),
    )
    plant = ecm.build(PackSpec(2, PARALLEL, 5.0, soc, np.ones(2), np.array([1.0, 1.2]), 298.15), {})
    plant.take_over(PackState(soc, np.full(2, begins_k), fit_cell(load_cell()).compute_ocv(soc), np.zeros(2)))
    currents, hottest_k = [0.0], np.empty(4000)
    for turn in range(4000):
        state = plant.step(np.full(2, currents[-1]), 298.15, 0.1)
        hottest_k[turn] = state.temperature_k.max()
        reading = PackReading(turn * 0.1, currents[-1], np.zeros(2), state.voltage_v, state.temperature_k)
        belief = Estimate(state.soc, np.full(2, 0.01))
        currents.append(controller.decide(reading, belief, CurrentRange(60.0, 60.0), 0.1).current_a)
    assert (np.diff(hottest_k)[hottest_k[1:] > 300.15 + 0.15] < 0.0).all()
    assert hottest_k[-1] == pytest.approx(300.15, abs=0.15 if begins_k < 300.0 else 1.5)
    assert np.abs(np.diff(currents[30:])).max() < 1.0
    assert (np.array(currents) * np.sign(wanted_a) > -1e-6).all()
    assert abs(currents[-1]) < abs(wanted_a) - 5.0


def test_it_follows_the_duty_where_no_limit_is_near(tmp_path: Path) -> None:
    controller = lane(tmp_path, 25.0)
    reading = PackReading(0.0, 25.0, np.zeros(2), np.full(2, 3.8), np.full(2, 298.15))
    belief = Estimate(np.full(2, 0.6), np.full(2, 0.01))
    decision = [controller.decide(reading, belief, WIDE, 0.01) for _ in range(100)][-1]
    assert decision.current_a == pytest.approx(25.0, abs=0.01)
    assert decision.violations == 0


@pytest.mark.parametrize("settings", [{"voltage_v": [4.2, 3.0]}, {"voltage_v": 3.0}, {"soc": ["a", "b"]}])
def test_limits_without_sense_are_errors_of_the_bench_file(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(BenchFileError, match="lower and an upper limit"):
        lane(tmp_path, 1.0, **settings)
