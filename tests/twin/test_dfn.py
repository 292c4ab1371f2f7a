from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.twin.cell_physics import PHYSICS
from tests.waiting import wait_until
from twin import dfn
from twin.dfn import DfnCell, build
from twin.dfn_worker import CurrentSegment, DfnCellStart, DfnSimulator, Restart
from twin.ports import PackSpec, PackState
from twin.pybamm_models import ReferenceCell

PATIENCE_S = 100.0  # a worker starts PyBaMM first, beside whatever else this machine does
pytestmark = pytest.mark.timeout(240)
MakePack = Callable[..., PackSpec]
AMBIENT_K = 298.15
START = DfnCellStart(soc=0.6, temperature_k=AMBIENT_K, scale_ah=1.0 / 5.0, resistance_factor=1.0, physics=PHYSICS)


def make_state(soc: float, kelvin: float, volts: float, current_a: float) -> PackState:
    return PackState(np.full(24, soc), np.full(24, kelvin), np.full(24, volts), np.full(24, current_a))


def settled(lane: DfnCell, current_a: float, within_s: float = PATIENCE_S) -> tuple[PackState, float]:
    """Step a little at a time until the worker has answered for all that went before; also how far (s)."""
    states: list[PackState] = []

    def follows() -> bool:
        states.append(lane.step(np.full(24, current_a), AMBIENT_K, 1e-3))
        return lane.age_s() < 0.15

    wait_until(follows, within_s, "the worker's answer to all of it", every_s=0.02)
    return states[-1], len(states) * 1e-3


@pytest.fixture(autouse=True)
def as_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A niced worker would get nothing of cores that others keep full."""
    monkeypatch.setattr(dfn, "NICENESS", 0)


@pytest.fixture
def lane(make_pack: MakePack) -> Iterator[DfnCell]:
    with closing(DfnCell(make_pack(24, spread=True), cell=4, interval_s=0.1)) as lane:
        yield lane


def test_lane_answers_at_once_and_says_how_old_its_answer_is(lane: DfnCell) -> None:
    state = lane.step(np.zeros(24), AMBIENT_K, 0.01)
    assert lane.columns == (4,)
    assert np.isnan(state.voltage_v).all()
    lane.step(np.zeros(24), AMBIENT_K, 0.5)
    assert lane.age_s() == pytest.approx(0.51)


def test_lane_follows_and_takes_over_and_outlives_its_worker(lane: DfnCell, make_pack: MakePack) -> None:
    pack = make_pack(24, spread=True)
    lane.step(np.full(24, 30.0), AMBIENT_K, 20.0)
    state, more_s = settled(lane, 30.0)
    fallen = 30.0 * (20.0 + more_s) / 3600.0 / (12 * 5.0 * pack.capacity_factor[4])
    assert pack.soc0[4] - state.soc[0] == pytest.approx(fallen, rel=0.02)

    wanted = make_state(0.7, AMBIENT_K, 3.90, 30.0)
    lane.take_over(wanted)
    assert lane.step(np.full(24, 30.0), AMBIENT_K, 1e-3).voltage_v[0] == 3.90
    assert settled(lane, 30.0)[0].voltage_v[0] == pytest.approx(3.90, abs=5e-3)

    worker = next(process for process in multiprocessing.active_children() if process.name == "dfn-5")
    worker.kill()
    worker.join()
    ages: list[float] = []
    for _ in range(5):
        state = lane.step(np.full(24, 30.0), AMBIENT_K, 1.0)
        ages.append(lane.age_s())
    assert state.outside == (4,)
    assert ages[-1] >= 5.0
    assert (np.diff(ages) > 0.0).all()


def test_lane_whose_model_ended_ages_instead_of_repeating_its_last_answer_until_it_takes_over(lane: DfnCell) -> None:
    settled(lane, 0.0)

    def ages() -> bool:
        state = lane.step(np.full(24, 2000.0), AMBIENT_K, 1.0)  # 33 C: soon empty
        return lane.age_s() > 30.0 and state.outside == (4,)

    wait_until(ages, PATIENCE_S, "an age of 30 s", every_s=0.05)
    lane.take_over(make_state(0.7, AMBIENT_K, 3.95, 0.0))
    assert settled(lane, 0.0)[0].soc[0] == pytest.approx(0.7, abs=2e-3)


@pytest.mark.timed
def test_lane_ages_beside_a_worker_that_hangs_and_can_still_be_closed(make_pack: MakePack) -> None:
    lane = DfnCell(make_pack(24, spread=True), cell=2, interval_s=0.1)
    worker = next(process for process in multiprocessing.active_children() if process.name == "dfn-3")
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGSTOP)
    began_s = time.monotonic()
    for _ in range(100):
        lane.step(np.full(24, 30.0), AMBIENT_K, 1.0)
    assert time.monotonic() - began_s < 1.0
    assert lane.age_s() == pytest.approx(100.0)
    lane.close()
    assert worker not in multiprocessing.active_children()


PARENT = """
import multiprocessing, os, signal
import numpy as np

from twin.dfn import DfnCell
from twin.ports import PackSpec

if __name__ == "__main__":
    one = np.ones(1)
    lane = DfnCell(PackSpec(1, 1, 5.0, 0.6 * one, one, one, 298.15), cell=0, interval_s=0.1)
    print(multiprocessing.active_children()[0].pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_worker_ends_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "parent.py"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL
    end = "the worker's end"  # it may still be importing PyBaMM
    wait_until(lambda: _has_ended(int(done.stdout)), PATIENCE_S, end, every_s=0.05)


def _has_ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture(scope="module")
def player() -> DfnSimulator:
    return DfnSimulator(START)


def test_player_steps_the_reference_cell(player: DfnSimulator) -> None:
    cell = ReferenceCell(0.6, PHYSICS)
    answers = [player.advance(CurrentSegment(0, 5.0, AMBIENT_K, 1.0)) for _ in range(5)]
    scale = 5.1532 / 5.0
    exact = [cell.step(5.0 * scale, AMBIENT_K, 1.0).voltage_v for _ in range(5)]
    np.testing.assert_allclose([answer.voltage_v for answer in answers], exact, atol=0.3e-3)
    assert answers[-1].temperature_k > AMBIENT_K


@pytest.mark.parametrize(("voltage_v", "current_a"), [(3.88, 5.0), (3.95, 0.0)])
def test_restart_finds_a_past_that_explains_the_voltage(
    player: DfnSimulator, voltage_v: float, current_a: float
) -> None:
    answer = player.restart(Restart(1, 0.7, AMBIENT_K, voltage_v, current_a))
    after = player.advance(CurrentSegment(1, current_a, AMBIENT_K, 0.01))
    assert answer.voltage_v == pytest.approx(voltage_v, abs=1e-3)
    assert after.voltage_v == pytest.approx(voltage_v, abs=2e-3)
    assert after.soc == pytest.approx(0.7, abs=2e-3)


def test_a_model_that_ended_is_not_taken_for_one_that_stepped() -> None:
    cell = ReferenceCell(0.01, PHYSICS)
    for _ in range(2):
        with pytest.raises(ArithmeticError, match="PyBaMM"):
            cell.step(10.0, AMBIENT_K, 1000.0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"cell": 25}, "cell 25 is not one of 1 to 24"),
        ({"cel": 1}, "has no setting cel; its settings are cell and interval_s"),
    ],
)
def test_wrong_settings_are_refused(make_pack: MakePack, settings: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build(make_pack(24), settings)
