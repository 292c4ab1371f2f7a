"""The guide's own code, taken from the page and run: three files and three tables make three lanes of a loop."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from control.bumpless import BLEND_A_S
from control.gate import Allowed
from control.lanes import Lanes
from control.loop import Loop
from control.state import BenchState
from drivers.event import EventKind
from tests.control.fakes import CELLS, PERIOD_S, Rig, rig
from twin.ports import PackSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[2] / "docs" / "lanes.md").read_text(encoding="utf-8")
FILES = re.findall(r"`([a-z_]+)/([a-z_]+)\.py`:\n\n```python\n(.*?)```", PAGE, re.DOTALL)
TABLES = [tomllib.loads(table)["lane"][0] for table in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)]
PACK = PackSpec(CELLS, 12, 5.0, np.array([0.62, 0.60]), np.ones(CELLS), np.ones(CELLS), 298.0)


@pytest.fixture
def lanes(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """What each file of the page builds, by role, under the module name that the page gives it."""
    for folder, name, source in FILES:
        path = tmp_path / f"{name}.py"
        path.write_text(source, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(f"{folder}.{name}", path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[spec.name])
    yield {t["role"]: sys.modules[t["module"]].build(PACK, t.get("settings", {})) for t in TABLES}
    for folder, name, _ in FILES:
        sys.modules.pop(f"{folder}.{name}", None)


@pytest.fixture
def made(lanes: dict[str, Any]) -> Rig:
    """A running loop in which the page's lanes are in the shadow of the ordinary ones."""
    made = rig()
    parts = made.loop.parts
    added = {
        role: Lanes(role, {own.active: own[own.active].part, "new": lanes[role]}, own.active, made.clock.now)
        for role, own in (("twin", parts.twins), ("estimator", parts.estimators), ("controller", parts.controllers))
    }
    made.loop = Loop(
        replace(parts, twins=added["twin"], estimators=added["estimator"], controllers=added["controller"])
    )
    made.to(BenchState.CONNECTED, BenchState.ARMED, BenchState.RUNNING)
    return made


def test_the_page_shows_one_lane_of_each_role_with_a_file_and_a_table() -> None:
    assert {table["role"] for table in TABLES} == {"twin", "estimator", "controller"}
    assert {table["module"] for table in TABLES} == {f"{folder}.{name}" for folder, name, _ in FILES}


def test_the_pages_lanes_answer_every_turn_in_the_shadow(made: Rig) -> None:
    tick = made.turns(300)
    assert not any(event.kind == EventKind.LANE_FAILED for kept in made.kept.ticks for event in kept.events)
    assert np.isfinite(tick.twins["new"].voltage_v).all()
    assert tick.estimates["new"].soc == pytest.approx(0.58, abs=0.02)
    assert tick.decisions["new"].current_a == 12.0


def test_the_pages_lanes_take_the_bench_over_live_without_a_step(made: Rig) -> None:
    made.turns(50)
    for role in ("twin", "estimator", "controller"):
        made.loop.activate(role, "new")
    before = made.kept.ticks[-1].verdict.apply
    tick = made.turns(1)
    assert isinstance(tick.verdict, Allowed)
    assert np.abs(tick.verdict.apply.cell_voltage_v - before.cell_voltage_v).max() < 2e-3
    assert abs(tick.verdict.apply.current_a - before.current_a) <= BLEND_A_S * PERIOD_S + 1e-9
    assert made.turns(300).verdict.apply.current_a == 12.0
