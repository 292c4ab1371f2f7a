"""Golden vectors: the answers of a fresh estimator and a fresh gate of the bundle to a segment of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.channel_names import COMMAND_CURRENT, lane_channel
from drivers.errors import CheckFailed
from edge_bridge.bundle import canonical_json, golden_estimator, golden_gate, vectors
from edge_bridge.bundle.golden import TOLERANCE
from edge_bridge.bundle.manifest import GOLDEN, GOLDEN_ESTIMATOR, GOLDEN_GATE, GOLDEN_PACK_GATE
from workbench.bundling import run_segment
from workbench.bundling.gate_vectors import REQUESTED, make_gate_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control.gate import Gate
    from drivers.runlog.run import Run
    from drivers.snapshot import Floats
    from edge_bridge.bundle.golden_gate import GateAnswer, GateStep
    from edge_bridge.bundle.runtime import Configuration
    from workbench.bundling.run_segment import RunSegment

SCHEMA: Final = "pulsebms.golden/1"
DEVIATIONS: Final = 3.0  # allowed distance of a fresh estimate from the run's, in their own standard deviations


def make_golden_vectors(run: Run, made: Configuration) -> tuple[dict[str, bytes], str]:
    """Return the golden members, and a sentence that compares them with the run; raise `Refused`, `CheckFailed`."""
    part = run_segment.select_segment(run, made.wiring.pack_current, made.bench.bench.period_s)
    inputs, answers, compared = _run_estimator(run, made, part)
    rows, pairs = _run_gate(run, made.make_gate(), part)
    beside_rows, beside_pairs = _run_gate(
        run, gate := made.make_pack_gate(), run_segment.make_pack_segment(part, gate.spec.table)
    )
    document = {
        "schema": SCHEMA,
        "tolerance": TOLERANCE,
        "ticks": [part.first, part.last],
        "estimator": {"lane": made.bench.active("estimator").name, "answers": answers.shape[1]},
        "gate": [golden_gate.as_json(step, answer) for step, answer in pairs],
        "pack_gate": [golden_gate.as_json(step, answer) for step, answer in beside_pairs],
    }
    return {
        GOLDEN: canonical_json.dump_json(document),
        GOLDEN_ESTIMATOR: vectors.encode_table(np.hstack((inputs, answers))),
        GOLDEN_GATE: vectors.encode_table(rows),
        GOLDEN_PACK_GATE: vectors.encode_table(beside_rows),
    }, compared


def _run_estimator(run: Run, made: Configuration, part: RunSegment) -> tuple[Floats, Floats, str]:
    sense = made.make_pack_sense(part.snapshots[0].table)
    seen = golden_estimator.make_inputs([sense.reading(snapshot) for snapshot in part.snapshots], part.dt_s)
    answers = golden_estimator.run_estimator(made.estimator, seen)
    if not np.isfinite(answers[-1]).all():
        what = "the bundle's estimator returns a value that is not a number at the end of the golden vectors"
        raise CheckFailed(what, where=str(run.folder), hint="build from a run in which every cell is measured")
    return seen, answers, _compare_with_run(run, made, part, answers[-1])


def _compare_with_run(run: Run, made: Configuration, part: RunSegment, last: Floats) -> str:
    """Compare the fresh estimate with the run's own, which has a longer history; raise `CheckFailed`."""
    cells, lane = made.pack.cells, made.bench.active("estimator").name
    names = [lane_channel("estimator", lane, "soc"), lane_channel("estimator", lane, "soc_std")]
    data = run.columns(names)
    soc, std = (float(data[name][part.last - 1]) for name in names)
    fresh, fresh_std = float(last[:cells].mean()), float(last[cells : 2 * cells].mean())
    difference, bound = abs(fresh - soc), DEVIATIONS * float(np.hypot(std, fresh_std))
    if not difference <= bound:
        raise CheckFailed(
            f"a fresh {lane} ends at a SoC of {fresh:.3f}, in the run it ended at {soc:.3f}",
            where=str(run.folder), value=difference, bound=bound,
            hint="the installed lane is not the one of the run, or it failed in the run",
        )  # fmt: skip
    return (
        f"a fresh {lane} ends {100 * difference:.2f} % of SoC from the estimate in the run (bound {100 * bound:.2f} %)"
    )


def _run_gate(run: Run, gate: Gate, part: RunSegment) -> tuple[Floats, Sequence[tuple[GateStep, GateAnswer]]]:
    requested_a = np.nan_to_num(run.columns([COMMAND_CURRENT])[COMMAND_CURRENT][part.first : part.last])
    count = len(make_gate_steps(gate.spec, requested_a))
    busiest = int(np.convolve(np.abs(requested_a), np.ones(count), "valid").argmax())
    steps = make_gate_steps(gate.spec, requested_a[busiest:])
    rows = golden_gate.pack_snapshots(part.snapshots[busiest : busiest + count])
    answers = golden_gate.run_steps(gate, rows, steps)
    pairs = list(zip(steps, answers, strict=True))
    _check_gate(run, pairs)
    return rows, pairs


def _check_gate(run: Run, pairs: Sequence[tuple[GateStep, GateAnswer]]) -> None:
    """Raise `CheckFailed` for a gate that allows a bad command, or none of the run's commands."""
    requested = [answer for step, answer in pairs if step.what == REQUESTED]
    allowed = [step.what for step, answer in pairs if step.what != REQUESTED and answer.verdict == "allowed"]
    if allowed:
        what = f"the gate allowed {allowed[0]}"
        raise CheckFailed(what, where=str(run.folder), hint="this is a defect of the gate; report it")
    if not any(answer.verdict == "allowed" for answer in requested):
        what = f"the gate allows no command of the run: {requested[0].words}"
        raise CheckFailed(what, where=str(run.folder), hint="build from a run in which the gate allowed commands")
