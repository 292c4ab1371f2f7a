"""A promoted policy at the edge: scored in shadow, never sent, and refused where it cannot run."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from control.ports import CurrentRange
from control.rl.policy import Policy
from drivers.snapshot import Estimate, PackReading
from edge_bridge import metrics
from edge_bridge.bundle.promotion import POLICY
from edge_bridge.edge import policy_shadow
from edge_bridge.edge.policy_shadow import SHADOW, PolicyShadow, make_policy_shadow
from tests.control.rl.duty_policy import make_duty_policy
from twin.ports import PackSpec

if TYPE_CHECKING:
    from edge_bridge.bundle.runtime import Configuration

CELLS, DT_S = 4, 0.1
PACK = PackSpec(CELLS, 12, 5.0, np.full(CELLS, 0.6), np.ones(CELLS), np.ones(CELLS), 298.15)
ROOT = Path(__file__).parents[3]
WIDE = CurrentRange(60.0, 60.0)


@dataclass
class Configured:
    pack: PackSpec = PACK


def shadow(folder: Path, data: bytes) -> PolicyShadow:
    (folder / POLICY).write_bytes(data)
    made = make_policy_shadow(cast("Configuration", Configured()), folder)
    assert made is not None
    return made


def see(made: PolicyShadow, seconds: float, current_a: float = 12.0, allowed: CurrentRange = WIDE) -> None:
    reading = PackReading(0.0, current_a, np.zeros(CELLS), np.full(CELLS, 3.75), np.full(CELLS, 298.15))
    estimate = Estimate(np.full(CELLS, 0.6), np.full(CELLS, 0.01))
    for _ in range(round(seconds / DT_S)):
        made.update(reading, estimate, allowed, DT_S)


def test_a_bundle_without_a_policy_has_no_shadow(tmp_path: Path) -> None:
    assert make_policy_shadow(cast("Configuration", Configured()), tmp_path) is None


def test_a_policy_that_does_what_the_pack_does_differs_by_nothing(tmp_path: Path) -> None:
    made = shadow(tmp_path, make_duty_policy())
    see(made, 30.0)
    assert made.score.steps == 60
    assert made.score.rms_a == pytest.approx(0.0, abs=0.01)
    assert (made.score.violations, made.score.interventions, made.score.outside) == (0, 0, 0)


def test_what_it_requests_beyond_the_bms_and_the_shield_is_counted(tmp_path: Path) -> None:
    made = shadow(tmp_path, make_duty_policy(gain=0.0, bias=1.0))
    see(made, 10.0, allowed=CurrentRange(20.0, 20.0))
    assert made.score.violations == made.score.interventions == made.score.steps == 20
    assert made.score.rms_a == pytest.approx(60.0 - 12.0, abs=0.1)


def test_an_unknown_sample_is_outside_and_asks_nothing(tmp_path: Path) -> None:
    made = shadow(tmp_path, make_duty_policy())
    see(made, 5.0, current_a=math.nan)
    assert made.score.outside == made.score.steps == 10
    assert made.describe()[metrics.POLICY_DIFFERENCE] is None


def test_the_fleet_gets_the_score_once_a_minute(tmp_path: Path) -> None:
    made = shadow(tmp_path, make_duty_policy())
    see(made, 10.0)
    first = made.describe()
    assert (first[metrics.POLICY_STATE], first[metrics.POLICY_STEPS]) == (SHADOW, 20)
    see(made, 30.0)
    assert made.describe() == first
    see(made, 31.0)
    assert made.describe()[metrics.POLICY_STEPS] == 142


def test_a_policy_for_another_cell_is_refused_and_says_so(tmp_path: Path) -> None:
    made = shadow(tmp_path, make_duty_policy(cell_sha256="0" * 64))
    see(made, 5.0)
    assert made.score.steps == 0
    assert "another cell" in str(made.describe()[metrics.POLICY_STATE])


def find_nothing(_name: str) -> None:
    return None


def test_without_the_extra_it_says_which_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_shadow, "find_spec", find_nothing)
    assert shadow(tmp_path, b"").describe()[metrics.POLICY_STATE] == policy_shadow.NO_EXTRA


def test_a_policy_of_a_task_that_an_edge_does_not_have_is_refused_with_its_name(tmp_path: Path) -> None:
    assert (
        shadow(tmp_path, make_duty_policy(task="own")).refused == "it is for the task own, which is not a shipped one"
    )


def test_a_policy_that_fails_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = shadow(tmp_path, make_duty_policy())

    def act(policy: Policy, observation: Any) -> Any:
        raise RuntimeError("the graph is broken")

    monkeypatch.setattr(Policy, "act", act)
    see(made, 5.0)
    assert "the graph is broken" in made.refused


def test_an_edge_reads_a_policy_without_the_solvers_of_a_bench(tmp_path: Path) -> None:
    (tmp_path / POLICY).write_bytes(make_duty_policy())
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(('casadi', 'piqp', 'torch', 'gymnasium', 'pybamm')))\n"
        "from pathlib import Path\n"
        "from types import SimpleNamespace\n"
        "from edge_bridge.edge.policy_shadow import make_policy_shadow\n"
        "from twin.cell_parameters import load_cell\n"
        "pack = SimpleNamespace(pack=SimpleNamespace(element_ah=60.0, cell=load_cell()))\n"
        "print(repr(make_policy_shadow(pack, Path(sys.argv[1])).refused))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.stdout.strip(), done.stderr) == ("''", "")
