"""Injected defects: none by default, each does what its name says, and product code knows none of them."""

from __future__ import annotations

import json
import pickle
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from drivers.benchfile.read import read_bench
from drivers.safe_commands import TcpSafeCommands
from drivers.scpi import ea_psb10000
from edge_bridge.edge.defects import OUTBOXES, find_outbox
from edge_bridge.edge.outbox import Outbox
from edge_bridge.fleet.defects import STORES, find_store
from edge_bridge.fleet.store.open_store import open_store
from fixtures.bms.defects import DEFECTS as BMS_DEFECTS
from tests.workbench.live import HIL24, ROOT
from workbench.certify.job import VARIABLE, CertificationJob, read_job
from workbench.compose.defects import NO_DEFECTS, Defects
from workbench.compose.engine_process import engine_main
from workbench.compose.named_defects import (
    BENCH_DEFECTS,
    LOST_TICK,
    TickDroppingRecorder,
    find_defects,
    list_bms_defects,
    mute_guard,
    seed_defect,
)
from workbench.selftest.steps import DEFECTS, STEPS

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.snapshot import Bytes, Floats

EVERY = (*BENCH_DEFECTS.values(), *(seed_defect(name, 7) for name in list_bms_defects()))
MAKERS = {  # who may know a defect by its name
    "edge_bridge/edge/defects.py",
    "edge_bridge/fleet/defects.py",
    "workbench/compose/named_defects.py",
    *(f"workbench/selftest/{name}.py" for name in ("chain", "chain_steps", "safety_steps", "steps")),
}
ASKERS = {  # who may make one
    "workbench/certify/job.py",
    "workbench/selftest/chain_steps.py",
    "workbench/selftest/context.py",
    "workbench/selftest/window_client.py",
    "workbench/verbs/qualify.py",
}


class Kept:
    """A recorder that keeps the times of its rows."""

    def __init__(self) -> None:
        self.times = list[float]()

    def put(self, t_s: float, values: Floats, sampled_s: Floats, quality: Bytes) -> None:
        self.times.append(t_s)


def test_an_ordinary_bench_is_made_of_the_parts_that_were_made(tmp_path: Path) -> None:
    hooks = {field.name for field in fields(Defects)} - {"name", "section", "bms", "thresholds"}
    for name in hooks:
        part = object()
        assert getattr(NO_DEFECTS, name)(part) is part, name
    assert (NO_DEFECTS.name, NO_DEFECTS.section, NO_DEFECTS.bms) == ("", "", None)
    assert NO_DEFECTS.thresholds(tmp_path, read_bench(HIL24)) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("defects", EVERY, ids=lambda one: one.name)
def test_each_defect_differs_and_reaches_a_spawned_engine_as_it_is(defects: Defects) -> None:
    assert any(
        getattr(defects, field.name) != getattr(NO_DEFECTS, field.name)
        for field in fields(Defects)
        if field.name not in {"name", "section"}
    )
    assert find_defects(defects.name) == defects
    entry: Any = pickle.loads(pickle.dumps(partial(engine_main, defects=defects)))  # noqa: S301  # our own
    assert entry.keywords["defects"] == defects


def test_a_mute_guard_queries_as_before_and_sends_nothing() -> None:
    ordinary = ea_psb10000.off_commands("127.0.0.1:5025", 0.2)
    (muted,) = mute_guard((ordinary,))
    assert isinstance(muted, TcpSafeCommands)
    assert any(step.send for step in ordinary.steps)
    assert not any(step.send for step in muted.steps)
    assert [step.verify for step in muted.steps] == [step.verify for step in ordinary.steps]
    assert (muted.address, muted.keep_alive) == (ordinary.address, ordinary.keep_alive)


def test_a_recorder_drops_one_tick_and_no_other() -> None:
    kept, nothing = Kept(), np.empty(0)
    recorder = TickDroppingRecorder(kept)
    for tick in range(1, LOST_TICK + 3):
        recorder.put(float(tick), nothing, nothing, np.empty(0, dtype=np.uint8))
    assert kept.times == [float(tick) for tick in range(1, LOST_TICK + 3) if tick != LOST_TICK]


@pytest.mark.parametrize("defects", [NO_DEFECTS, *EVERY], ids=lambda one: one.name)
def test_a_certification_hands_defects_to_its_process(
    defects: Defects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = CertificationJob(HIL24, tmp_path, ("OV-01/7",), first_detection=True, defects=defects, take_over=True)
    monkeypatch.setenv(VARIABLE, order.as_text())
    assert json.loads(order.as_text())["defects"] == defects.name
    assert read_job() == order


def test_every_defect_that_selftest_offers_is_injected_by_somebody() -> None:
    steps = {"kill-guard", "seed-defect", "flip-bundle-byte", "foreign-key", "broker-stays-down"}
    assert set(DEFECTS) == {*BENCH_DEFECTS, *OUTBOXES, *STORES, *steps}
    assert set(DEFECTS.values()) <= {step.name for step in STEPS}
    assert set(list_bms_defects()) == set(BMS_DEFECTS)


def test_an_edge_and_a_fleet_without_a_defect_are_ordinary() -> None:
    assert (find_outbox(""), find_store("")) == (Outbox, open_store)


def test_product_code_knows_no_defect_by_its_name() -> None:
    names = {*DEFECTS, *BMS_DEFECTS}
    found, asked = dict[str, list[str]](), set[str]()
    files = [
        path for folder in ("workbench", "control", "drivers", "edge_bridge") for path in (ROOT / folder).rglob("*.py")
    ]
    assert len(files) > 200
    for path in files:
        text, where = path.read_text("utf-8"), path.relative_to(ROOT).as_posix()
        assert "sabotage" not in text.lower() or where == "workbench/run_app.py", where
        if known := [name for name in sorted(names) if f'"{name}"' in text]:
            found[where] = known
        if "compose.named_defects import" in text:
            asked.add(where)
    assert set(found) <= MAKERS, found
    assert asked == ASKERS
