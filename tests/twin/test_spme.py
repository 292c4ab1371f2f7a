from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pybamm
import pytest

from tests.twin.cell_physics import PHYSICS
from twin.cell_parameters import load_cell
from twin.ecm import EcmPack
from twin.ports import PackSpec, Twin
from twin.pybamm_models import ReferenceCell, read_cell_constants
from twin.spme import SpmePack, build

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.spme_model import SpmeModel

MakePack = Callable[..., PackSpec]
AMBIENT_K = 298.15
PYBAMM: Any = pybamm  # carries no types


def lumped(current_a: Floats) -> Floats:
    """Temperature (K) each second by PyBaMM's own thermal model under IDAKLU, from 70 % and 25 degC."""
    options = {"thermal": "lumped", "heat of mixing": "true"}
    parameters = PYBAMM.ParameterValues("Chen2020")
    parameters.update({"Current function [A]": "[input]", "Ambient temperature [K]": AMBIENT_K})
    name = "Volume-averaged cell temperature [K]"
    solver = PYBAMM.IDAKLUSolver(rtol=1e-6, atol=1e-6, output_variables=[name])
    cell = PYBAMM.Simulation(PYBAMM.lithium_ion.SPMe(options), parameter_values=parameters, solver=solver)
    cell.build(initial_soc=0.7, inputs={"Current function [A]": 0.0})
    kelvin, solution = np.empty(len(current_a)), None
    for k, current in enumerate(current_a):
        solution = cell.step(
            1.0, save=False, inputs={"Current function [A]": float(current)}, starting_solution=solution
        )
        assert solution.t[-1] == pytest.approx(k + 1.0)
        kelvin[k] = solution[name].entries[-1]
    return kelvin


def worst_against_pybamm(model: SpmeModel, pack: PackSpec, dt_s: float, steps: int) -> float:
    """Largest voltage difference to PyBaMM under IDAKLU over pulses of two seconds between 1.4 C and 2 C (V)."""
    currents = np.repeat(np.random.default_rng(3).uniform(-7.0, 10.0, steps), max(1, round(2.0 / dt_s)))
    fast, reference = SpmePack(pack, model), ReferenceCell(float(pack.soc0[0]), PHYSICS, "SPMe")
    kelvin, worst = AMBIENT_K, 0.0
    for current in currents[:steps]:
        # both see the temperature before the step
        exact = reference.step(float(current), kelvin, dt_s).voltage_v
        state = fast.step(np.array([current]), AMBIENT_K, dt_s)
        kelvin = float(state.temperature_k[0])
        worst = max(worst, abs(float(state.voltage_v[0]) - exact))
    return worst


@pytest.mark.parametrize(
    ("dt_s", "steps", "within_v"),
    [pytest.param(0.01, 300, 5e-6, marks=pytest.mark.long), (0.1, 300, 0.03e-3), (1.0, 100, 0.15e-3)],
)
def test_fast_path_follows_pybamm(
    spme: SpmeModel, make_pack: MakePack, dt_s: float, steps: int, within_v: float
) -> None:
    pack = make_pack(cell_ah=read_cell_constants(PHYSICS).capacity_ah)
    assert worst_against_pybamm(spme, pack, dt_s, steps) < within_v


@pytest.mark.parametrize(
    "steps", [200, pytest.param(800, marks=pytest.mark.long), pytest.param(2500, marks=pytest.mark.soak)]
)
def test_a_hard_drive_of_unlike_cells_in_changing_weather_follows_pybamm_cell_by_cell(
    spme: SpmeModel, make_pack: MakePack, steps: int
) -> None:
    """Pulses of 2 to 20 s up to 2.1 C both ways, ambient 5 to 45 degC, 0.1 s steps, 20, 80 or 250 s."""
    rng, cells, dt_s = np.random.default_rng(7), 2, 0.1
    pack = replace(
        make_pack(cells),
        parallel=12,
        soc0=np.array([0.80, 0.45]),
        capacity_factor=np.array([0.93, 1.06]),
        resistance_factor=np.array([1.2, 0.85]),
    )
    fast, references = SpmePack(pack, spme), [ReferenceCell(float(soc), PHYSICS, "SPMe") for soc in pack.soc0]
    scale = read_cell_constants(PHYSICS).capacity_ah / (60.0 * pack.capacity_factor)
    current_a = np.repeat(rng.uniform(-90.0, 120.0, 200), rng.integers(20, 201, 200))[:steps]
    kelvin, apart_v, apart_soc = np.full(cells, AMBIENT_K), np.empty((steps, cells)), np.empty((steps, cells))
    for k, current in enumerate(current_a):
        ambient_k = AMBIENT_K + 20.0 * float(np.sin(1.5 * np.pi * k / steps))
        exact = [cell.step(float(current) * scale[n], float(kelvin[n]), dt_s) for n, cell in enumerate(references)]
        state = fast.step(np.full(cells, current), ambient_k, dt_s)
        kelvin = state.temperature_k
        losses = np.array([read.surface_ocv_v - read.voltage_v for read in exact]) * pack.resistance_factor
        apart_v[k] = state.voltage_v - (np.array([read.surface_ocv_v for read in exact]) - losses)
        apart_soc[k] = state.soc - np.array([read.soc for read in exact])
    print(f"SPMe fast path against IDAKLU: RMS {np.sqrt(np.mean(apart_v**2)) * 1e3:.4f} mV, "  # noqa: T201  # the figure
          f"worst {np.abs(apart_v).max() * 1e3:.4f} mV, SoC {np.abs(apart_soc).max():.1e}")  # fmt: skip
    assert np.sqrt(np.mean(apart_v**2)) < 0.01e-3
    assert np.abs(apart_v).max() < 0.03e-3
    assert np.abs(apart_soc).max() < 1e-6


@pytest.mark.long
def test_temperature_follows_pybamms_lumped_model_and_the_heat_of_mixing(spme: SpmeModel, make_pack: MakePack) -> None:
    """PyBaMM leaves the heat of mixing out unless asked; in the lane a current's heat is all that the voltage lost."""
    cell = read_cell_constants(PHYSICS)
    twin = SpmePack(make_pack(cell_ah=cell.capacity_ah, soc0=0.7), spme)
    current_a = np.repeat(np.random.default_rng(1).uniform(-6.0, 9.0, 60), 10)
    kelvin = [float(twin.step(np.array([i]), AMBIENT_K, 1.0).temperature_k[0]) for i in current_a]
    assert kelvin[-1] - AMBIENT_K > 5.0
    assert np.abs(kelvin - lumped(current_a)).max() < 0.1


def test_charge_is_counted_exactly_in_each_cells_own_capacity(spme: SpmeModel, make_pack: MakePack) -> None:
    pack = make_pack(24, spread=True)
    twin = SpmePack(pack, spme)
    state = [twin.step(np.full(24, 25.0), AMBIENT_K, 1.0) for _ in range(60)][-1]
    fallen = 25.0 * 60.0 / (3600.0 * pack.parallel * pack.cell_ah * pack.capacity_factor)
    np.testing.assert_allclose(pack.soc0 - state.soc, fallen, rtol=1e-6)


def test_resistance_factor_scales_the_first_drop(spme: SpmeModel, make_pack: MakePack) -> None:
    pack = make_pack(2)
    twin = SpmePack(replace(pack, resistance_factor=np.array([1.0, 1.5])), spme)
    rest = twin.step(np.zeros(2), AMBIENT_K, 1e-3).voltage_v
    drop = rest - twin.step(np.full(2, 5.0), AMBIENT_K, 1e-3).voltage_v
    assert drop[1] / drop[0] == pytest.approx(1.5, rel=0.01)


def test_a_warm_cell_loses_less_voltage(spme: SpmeModel, make_pack: MakePack) -> None:
    drops: list[float] = []
    for kelvin in (283.15, 313.15):
        twin = SpmePack(replace(make_pack(), ambient_k=kelvin), spme)
        rest = twin.step(np.zeros(1), kelvin, 1e-3).voltage_v[0]
        drops.append(float(rest - twin.step(np.full(1, 5.0), kelvin, 1e-3).voltage_v[0]))
    assert drops[1] < 0.8 * drops[0]


def test_first_heat_is_current_times_what_the_voltage_lost(spme: SpmeModel, make_pack: MakePack) -> None:
    twin, cell = SpmePack(make_pack(soc0=0.9), spme), read_cell_constants(PHYSICS)
    open_v = twin.step(np.zeros(1), AMBIENT_K, 1e-6).voltage_v[0]
    state = twin.step(np.full(1, 5.0), AMBIENT_K, 0.1)
    heat_w = cell.heat_capacity_j_k * (state.temperature_k[0] - AMBIENT_K) / 0.1
    own_a = 5.0 * cell.capacity_ah / 5.0
    assert heat_w == pytest.approx(own_a * (open_v - state.voltage_v[0]), rel=0.01)


def test_a_hot_cell_cools_with_its_time_constant(spme: SpmeModel, make_pack: MakePack) -> None:
    twin, cell = SpmePack(make_pack(), spme), read_cell_constants(PHYSICS)
    state = twin.step(np.zeros(1), AMBIENT_K, 0.1)
    twin.take_over(replace(state, temperature_k=np.full(1, AMBIENT_K + 20.0)))
    for _ in range(round(cell.heat_capacity_j_k / cell.cooling_w_k)):
        state = twin.step(np.zeros(1), AMBIENT_K, 1.0)
    assert state.temperature_k[0] - AMBIENT_K == pytest.approx(20.0 / np.e, rel=0.01)


def test_a_cell_driven_past_empty_keeps_its_last_state_while_others_go_on(spme: SpmeModel, make_pack: MakePack) -> None:
    twin = SpmePack(replace(make_pack(2), soc0=np.array([0.02, 0.9])), spme)
    states = [twin.step(np.full(2, 10.0), AMBIENT_K, 1.0) for _ in range(120)]
    assert all(np.isfinite(state.voltage_v).all() for state in states)
    assert states[-1].voltage_v[0] < 2.5
    assert states[-1].soc[0] == states[-2].soc[0]
    assert states[-1].soc[1] < states[-2].soc[1]


@pytest.mark.parametrize("dt_s", [0.0, 1e-3, 1.0])
@pytest.mark.parametrize("soc0", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("current_a", [0.0, 500.0, -500.0, 1e6, float("nan"), float("inf")])
def test_no_step_of_a_cell_at_its_edge_gives_anything_but_numbers(
    spme: SpmeModel, make_pack: MakePack, dt_s: float, soc0: float, current_a: float
) -> None:
    twin = SpmePack(make_pack(soc0=soc0), spme)
    for _ in range(30):
        state = twin.step(np.array([current_a]), AMBIENT_K, dt_s)
        assert np.isfinite([state.voltage_v, state.soc, state.temperature_k]).all()
        assert 0.0 < state.voltage_v[0] < 6.0


@pytest.mark.parametrize(("current_a", "soc0"), [(15.0, 0.9), (-15.0, 0.4), (5.0, 0.05), (-5.0, 0.95)])
def test_a_cell_stands_where_a_concentration_would_be_negative_and_comes_back(
    spme: SpmeModel, make_pack: MakePack, current_a: float, soc0: float
) -> None:
    twin = SpmePack(make_pack(soc0=soc0), spme)
    states = [twin.step(np.array([current_a]), AMBIENT_K, 1.0) for _ in range(1000)]
    assert states[-1].soc[0] == states[-2].soc[0]
    assert states[-1].temperature_k[0] < 340.0
    back = [twin.step(np.array([-current_a]), AMBIENT_K, 1.0) for _ in range(20)]
    assert np.sign(back[-1].soc[0] - states[-1].soc[0]) == np.sign(current_a)


def switched(leaving: Twin, arriving: Twin, current_a: float) -> tuple[float, float]:
    """Largest step of voltage (V) and SoC that the switching tick shows beyond what the leaving twin would have."""
    currents = np.full(24, current_a)
    arriving.take_over(leaving.step(currents, AMBIENT_K, 0.01))
    left, arrived = leaving.step(currents, AMBIENT_K, 0.01), arriving.step(currents, AMBIENT_K, 0.01)
    voltage = np.abs(arrived.voltage_v - left.voltage_v).max()
    return float(voltage), float(np.abs(arrived.soc - left.soc).max())


@pytest.mark.parametrize("past_a", [25.0, -40.0])
@pytest.mark.parametrize("current_a", [25.0, 0.0])
@pytest.mark.parametrize("towards", ["ECM", "SPMe"])
def test_twins_change_live_with_less_than_two_millivolts(
    spme: SpmeModel, make_pack: MakePack, past_a: float, current_a: float, towards: str
) -> None:
    pack = make_pack(24, spread=True)
    spme_pack: Twin = SpmePack(pack, spme)
    ecm_pack: Twin = EcmPack(pack, load_cell().circuit)
    leaving, arriving = (spme_pack, ecm_pack) if towards == "ECM" else (ecm_pack, spme_pack)
    for _ in range(60):
        leaving.step(np.full(24, past_a), AMBIENT_K, 1.0)
    voltage, soc = switched(leaving, arriving, current_a)
    assert voltage < 2e-3
    assert soc < 1e-4


def test_hand_over_bends_soc_where_no_past_explains_the_voltage(spme_pack: SpmePack) -> None:
    state = spme_pack.step(np.zeros(24), AMBIENT_K, 0.01)
    wanted = replace(state, soc=np.full(24, 0.62), voltage_v=np.full(24, 4.15))
    spme_pack.take_over(wanted)
    after = spme_pack.step(np.zeros(24), AMBIENT_K, 1e-6)
    np.testing.assert_allclose(after.voltage_v, 4.15, atol=2e-3)
    assert (after.soc > 0.8).all()


def test_unknown_settings_are_refused(make_pack: MakePack) -> None:
    with pytest.raises(ValueError, match="has no settings, got cell"):
        build(make_pack(), {"cell": 1})
