"""`measure`: the vocabulary of its figures, what the document says of them, and two cheap measurements."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from drivers.errors import Usage
from tests.workbench.live import ROOT
from workbench.jitter import ServedInstants
from workbench.measure import dfn_power, health_steps, loop, mpc
from workbench.measure.catalogue import NAMES, measurement, select_names
from workbench.measure.job import MeasureJob, percentile, run_in_turns
from workbench.measure.loop import LoopMeasurement
from workbench.measure.metric import UNEXPECTED, MeasuredMetric, format_table, read_table
from workbench.report import Report
from workbench.selftest.latency_probe import MachineLateness
from workbench.verbs import measure as verb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workbench.measure.metric import DocumentRow, MeasureRow

DOCUMENT = ROOT / "docs" / "measured.md"
FAST = MeasuredMetric("answer", "ms", "<", 2.0, "a peer", "the peer's cache is warm")
SMOOTH = MeasuredMetric("frames", "/s", ">=", 29.5)


def declared() -> list[MeasuredMetric]:
    return [metric for name in NAMES for metric in measurement(name).METRICS]


def in_document() -> dict[str, DocumentRow]:
    return {row.name: row for row in read_table(DOCUMENT.read_text(encoding="utf-8"))}


@pytest.mark.parametrize(
    ("op", "value", "met"),
    [("<", 1.9, True), ("<", 2.0, False), ("<=", 2.0, True), (">=", 2.0, True), (">", 2.0, False), (">=", 1.9, False)],
)
def test_a_target_is_met_as_its_operator_says(op: Any, value: float, met: bool) -> None:  # noqa: FBT001  # pytest gives it by name
    assert MeasuredMetric("m", "ms", op, 2.0).is_met(value) is met


@pytest.mark.parametrize("op", ["<", "<=", ">=", ">"])
def test_what_was_not_measured_meets_nothing(op: Any) -> None:
    assert not MeasuredMetric("m", "ms", op, 2.0).is_met(math.nan)


def test_a_missed_row_has_its_reason_and_a_met_one_has_none() -> None:
    assert FAST.make_row(3.0, 1.0).reason == "the peer's cache is warm"
    assert FAST.make_row(1.0, 1.0).reason == ""
    assert SMOOTH.make_row(math.nan).reason == UNEXPECTED


def test_what_the_machine_itself_takes_is_not_judged_and_what_it_cannot_explain_is_missed() -> None:
    unjudged, missed, met = FAST.make_row(3.0, own=0.6), FAST.make_row(3.0, own=0.4), FAST.make_row(1.0, own=9.0)
    assert (unjudged.is_met, missed.is_met, met.is_met) == (None, False, True)
    assert unjudged.reason == "not judged: the machine itself takes 0.600 ms"
    assert (missed.reason, met.reason) == (FAST.reason, "")
    assert unjudged.as_json()["met"] is None
    assert unjudged.format_line().startswith("N/A ")
    assert FAST.make_row(math.nan, own=9.0).is_met is False, "not measured is no excuse"
    (read,) = read_table(format_table([unjudged]))
    assert (read.met, read.reason) == (None, unjudged.reason)


def test_a_loop_that_stands_still_misses_its_lateness_and_its_turns() -> None:
    late_s = np.tile(np.concatenate([np.arange(0.49, 0.0, -0.01), np.full(6, 1e-4)]), 20)
    stalls = LoopMeasurement(ServedInstants(late_s, 20 * 49), np.full(120, 0.002), MachineLateness(), realtime=True)
    quiet = LoopMeasurement(
        ServedInstants(np.full(1100, 1e-4), 0), np.full(1100, 0.002), MachineLateness(), realtime=True
    )
    assert [row.is_met for row in loop.make_rows(stalls, quiet, "")] == [False, False, False, True, True, False]
    assert [row.is_met for row in loop.make_rows(quiet, stalls, "")] == [True] * 6
    slow = MachineLateness(0.01 * np.arange(1100.0), np.full(1100, 0.4))
    words = [row.is_met for row in loop.make_rows(replace(stalls, machine=slow), None, "")]
    assert words == [None, None, None, True, True, None], "a machine that stands still as long judges nothing"


def test_a_row_has_the_fields_that_scripts_rely_on() -> None:
    fields = ["metric", "value", "unit", "op", "target", "met", "peer", "peer_value", "conditions", "reason"]
    told = FAST.make_row(3.0, 1.5, "2 cores").as_json()
    assert list(told) == fields
    assert json.loads(json.dumps(told)) == dict(
        zip(fields, ["answer", 3.0, "ms", "<", 2.0, False, "a peer", 1.5, "2 cores", FAST.reason], strict=True)
    )


def test_a_table_reads_back_as_it_was_written() -> None:
    rows = [FAST.make_row(3.14159, 1.5, "2 cores | busy"), SMOOTH.make_row(30.0), SMOOTH.make_row(math.nan)]
    fast, smooth, unknown = read_table(f"# Before\n\n{format_table(rows)}\nAfter | all\n")
    assert (fast.name, fast.measured, fast.wanted, fast.met) == ("answer", "3.14 ms", "< 2 ms", False)
    assert (fast.peer, fast.peer_measured, fast.conditions) == ("a peer", "1.50 ms", "2 cores / busy")
    assert fast.reason == FAST.reason
    assert (smooth.measured, smooth.wanted, smooth.met, smooth.peer_measured) == ("30 /s", ">= 29.5 /s", True, "")
    assert (unknown.measured, unknown.met) == ("not measured /s", False)


def test_other_tables_of_a_document_are_not_taken_for_ours() -> None:
    assert list(read_table("| a | b | c | d | e | f | g | h |\n|---|---|---|---|---|---|---|---|\n")) == []


def test_an_unknown_name_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(Usage, match=r"names: window, loop, .*, all"):
        select_names("speed")
    assert select_names("all") == NAMES
    assert select_names("wire") == ("wire",)


def test_no_two_metrics_share_a_name_and_each_module_declares_some() -> None:
    names = [metric.name for metric in declared()]
    assert len(names) == len(set(names))
    assert all(measurement(name).METRICS for name in NAMES)


def test_alternation_gives_both_the_same_turns() -> None:
    order: list[str] = []

    def turn(whose: str) -> list[float]:
        order.append(whose)
        return [1.0, 2.0] if whose == "ours" else [3.0]

    ours, peer = run_in_turns(lambda: turn("ours"), lambda: turn("peer"), 3)
    assert order == ["ours", "peer"] * 3
    assert (ours.tolist(), peer.tolist()) == ([1.0, 2.0] * 3, [3.0] * 3)
    assert math.isnan(percentile([], 50))


class Pretended:
    """A measurement that measures nothing."""

    METRICS = (FAST, SMOOTH)

    def __init__(self, *rows: MeasureRow) -> None:
        self._rows = rows

    def measure(self, job: MeasureJob) -> Iterator[MeasureRow]:
        job.say("pretending")
        yield from self._rows


def test_what_could_not_be_judged_is_counted_and_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb, "measurement", {"wire": Pretended(FAST.make_row(3.0, own=2.0), FAST.make_row(1.0))}.get)
    report = Report("measure", as_json=True)
    assert verb.main(report, "wire") is True
    assert report.body["not_judged"] == 1


@pytest.mark.parametrize(("frames", "ok"), [(30.0, True), (21.0, False)])
def test_one_missed_target_fails_the_verb(frames: float, ok: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001  # pytest gives it by name
    pretended = Pretended(FAST.make_row(1.0), SMOOTH.make_row(frames))
    monkeypatch.setattr(verb, "measurement", {"wire": pretended}.get)
    report = Report("measure", as_json=True)
    assert verb.main(report, "wire") is ok
    assert [row["met"] for row in report.body["rows"]] == [True, ok]


def test_markdown_is_all_that_stands_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verb, "measurement", {"wire": Pretended(FAST.make_row(3.0))}.get)
    verb.main(Report("measure"), "wire", markdown=True)
    printed = capsys.readouterr()
    assert printed.out == f"### `measure wire`\n\n{format_table([FAST.make_row(3.0)])}\n"
    assert "pretending" in printed.err


def test_a_folder_of_recorded_cells_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="is not a folder"):
        verb.main(Report("measure"), "estimators", tmp_path / "nowhere")


def test_every_declared_metric_stands_in_the_document_with_its_unit_target_and_peer() -> None:
    document = in_document()
    for metric in declared():
        assert metric.name in document, (
            f"docs/measured.md lacks {metric.name}; paste what measure NAME --markdown prints"
        )
        row = document[metric.name]
        assert (row.wanted, row.peer) == (metric.wanted, metric.peer)
        assert row.measured.endswith(metric.unit)
    assert document.keys() == {metric.name for metric in declared()}


def test_every_row_that_the_document_calls_missed_has_the_declared_reason() -> None:
    metrics = {metric.name: metric for metric in declared()}
    missed = [row for row in in_document().values() if row.met is False]
    for row in missed:
        assert row.reason == metrics[row.name].reason
        assert row.reason != UNEXPECTED, f"declare why {row.name} is missed"


def test_the_document_calls_met_what_is_met() -> None:
    metrics = {metric.name: metric for metric in declared()}
    for row in in_document().values():
        number = row.measured.split()[0]
        judged = row.met is not None and number.replace(".", "").isdigit()
        if judged and float(number) != metrics[row.name].target:
            assert metrics[row.name].is_met(float(number)) is row.met


@pytest.mark.parametrize(
    ("name", "long"),  # `long`: steps of the long plans of the MPC, of which its peers take their time
    [
        ("wire", mpc.LONG),
        pytest.param("mpc", mpc.SHORT + 1, marks=pytest.mark.long),
        pytest.param("mpc", mpc.LONG, marks=pytest.mark.soak),
    ],
    ids=["wire", "mpc", "mpc whole"],
)
def test_a_short_measurement_measures_each_declared_figure_beside_its_peer(
    name: str, long: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mpc, "LONG", long)
    rows = list(measurement(name).measure(MeasureJob(lambda _: None, tmp_path, share=0.05)))
    assert [row.metric for row in rows] == list(measurement(name).METRICS)
    assert all(math.isfinite(row.value) for row in rows)
    assert all(row.peer_value is not None and math.isfinite(row.peer_value) for row in rows)
    assert all("cores" in row.conditions for row in rows)


@pytest.mark.long
def test_the_real_time_iteration_pays_next_to_nothing_over_ipopt_in_closed_loop(tmp_path: Path) -> None:
    cost = next(
        row
        for row in measurement("mpc").measure(MeasureJob(lambda _: None, tmp_path, share=0.1))
        if "cost" in row.metric.name
    )
    assert cost.is_met


def test_recorded_drives_that_are_absent_are_left_out_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def measure_nothing(job: MeasureJob) -> Iterator[MeasureRow]:  # the DFN takes a minute
        del job
        return iter(())

    monkeypatch.setattr(dfn_power, "measure", measure_nothing)
    monkeypatch.setattr(health_steps, "measure", measure_nothing)  # nor ten runs of the slow lane
    rows = list(measurement("estimators").measure(MeasureJob(said.append, tmp_path, data=None, share=0.05)))
    assert {row.metric.unit for row in rows} == {"us"}
    assert any("left out" in sentence for sentence in said)
