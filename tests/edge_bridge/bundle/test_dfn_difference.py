"""A bundle says how far the fast twin of its run was from the DFN of a chosen cell, or why nobody knows."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from drivers.runlog.folder import describe
from drivers.runlog.recorder import Recorder
from drivers.runlog.run import Run
from drivers.snapshot import Channel, ChannelTable
from edge_bridge.bundle.consistency import check_consistency
from edge_bridge.bundle.dfn_difference import KEY, NOT_RECORDED, DfnDifference, read_dfn_differences
from edge_bridge.bundle.manifest import EVIDENCE, Bundle
from tests.edge_bridge.bundle.test_consistency import changed, refusal
from workbench.bundling.dfn_evidence import NOT_RUN, measure_dfn
from workbench.bundling.summary import summarize
from workbench.scores import SETTLE_TICKS

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.benchfile import Bench
    from drivers.snapshot import Floats
    from workbench.bundling.build import BuiltBundle

FAST, DFN = "SPMe pack", "DFN, cell 1"
TICKS = SETTLE_TICKS + 400
NAMES = ("loop/number", "bench/state", "loop/twin", *(
    f"twin/{twin}/{what}" for twin in (FAST, DFN) for what in ("cell_01/voltage", "step")
))  # fmt: skip


def measure(folder: Path, bench: Bench, off_v: Floats) -> DfnDifference:
    """The difference in a run whose DFN lane is `off_v[TICKS]` beside the active twin."""
    table = ChannelTable(tuple(Channel(name, "1") for name in NAMES))
    recorder = Recorder.create(folder, table, describe(bench, "HIL"), 0)
    nothing = np.zeros(0)
    for number, off in enumerate(off_v):
        fast_v = 3.7 + 0.1 * np.sin(number / 9.0)
        row = np.array([number + 1.0, 3.0, 0.0, fast_v, 1e-4, fast_v + off, 1e-3 if np.isfinite(off) else np.nan])
        recorder.put(0.01 * number, row, nothing, nothing.astype(np.uint8))
    recorder.close()
    with closing(Run.open(folder)) as run:
        (found,) = measure_dfn(run, bench)
    return found


def test_the_difference_is_the_rms_while_running_with_its_coverage(bench: Bench, tmp_path: Path) -> None:
    off_v = np.where(np.arange(TICKS) % 2, 0.003, -0.001)
    off_v[:SETTLE_TICKS] = 1.0  # before it settles
    off_v[200:202] = np.nan
    found = measure(tmp_path / "run", bench, off_v)
    assert (found.lane, found.cells, found.against, found.reason) == (DFN, (1,), FAST, "")
    assert found.rms_mv == pytest.approx(1e3 * np.sqrt((0.003**2 + 0.001**2) / 2.0), rel=1e-6)
    assert found.coverage == pytest.approx(398 / 400)
    assert (
        found.sentence == f"{DFN}, cell 1: 2.24 mV RMS from {FAST}, both known for 99.5 % of the samples from 0.0 s on"
    )


def test_the_samples_before_the_worker_has_built_its_model_do_not_count(bench: Bench, tmp_path: Path) -> None:
    off_v = np.full(TICKS, 0.002)
    off_v[: SETTLE_TICKS + 200] = np.nan
    found = measure(tmp_path / "run", bench, off_v)
    assert (found.rms_mv, found.coverage, found.after_s) == (pytest.approx(2.0), 1.0, pytest.approx(2.0))
    off_v[: TICKS - SETTLE_TICKS + 1] = np.nan
    found = measure(tmp_path / "short", bench, off_v)
    assert (found.rms_mv, found.reason) == (None, "it did not run for long enough")
    off_v[:] = np.nan
    assert measure(tmp_path / "none", bench, off_v).reason == "it gave no value while the bench was running"


@pytest.mark.parametrize(("first", "last", "word"), [(200, 300, "75.0 % of the samples"), (200, TICKS, "failed")])
def test_what_was_not_known_is_not_measured_and_says_why(
    bench: Bench, tmp_path: Path, first: int, last: int, word: str
) -> None:
    off_v = np.full(TICKS, 0.002)
    off_v[first:last] = np.nan
    found = measure(tmp_path / "run", bench, off_v)
    assert found.rms_mv is None
    assert word in found.reason
    assert f"{DFN}, not measured: {found.reason}" == found.sentence


def test_a_bundle_of_a_run_without_the_lane_says_that_nothing_was_measured(built: BuiltBundle) -> None:
    bundle = built.verified.bundle
    assert read_dfn_differences(bundle) == (DfnDifference(DFN, (), "", None, 0.0, 0.0, NOT_RUN),)
    assert [fact.text for fact in summarize(bundle, "k") if fact.head == "dfn"] == [f"{DFN}, not measured: {NOT_RUN}"]


def test_a_bundle_of_before_is_read_and_says_that_it_does_not_tell(built: BuiltBundle) -> None:
    older = changed(built.verified.bundle, EVIDENCE, lambda said: said.pop(KEY))
    check_consistency(older)
    assert read_dfn_differences(older) is None
    assert [fact.text for fact in summarize(older, "k") if fact.head == "dfn"] == [NOT_RECORDED]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"lane": "DFN, cell 2"}],
        [{"rms_mv": -1.0, "reason": ""}],
        [{"rms_mv": True, "reason": ""}],
        [{"rms_mv": 0.2}],
        [{"reason": ""}],
        [{"coverage": 1.5}],
        [{"after_s": -1.0}],
        [{"cells": [0]}],
        [{"more": 1}],
    ],
)
def test_a_difference_that_no_run_gives_is_refused(built: BuiltBundle, rows: list[dict[str, Any]]) -> None:
    assert refusal(forge(built.verified.bundle, rows)) == EVIDENCE


def test_a_difference_that_a_run_gives_is_taken(built: BuiltBundle) -> None:
    told = {"rms_mv": 0.2, "coverage": 1.0, "reason": "", "cells": [1], "against": FAST}
    check_consistency(forge(built.verified.bundle, [told]))


def forge(bundle: Bundle, rows: list[dict[str, Any]]) -> Bundle:
    """The bundle with these entries, each completed from its own."""
    (own,) = bundle.evidence[KEY]
    return changed(bundle, EVIDENCE, lambda said: said.update({KEY: [own | row for row in rows]}))
