"""Golden vectors: before they run, check that estimator and gate give the results of where the bundle was built."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.errors import PulseError
from edge_bridge.bundle import golden_estimator, golden_gate, vectors
from edge_bridge.bundle.manifest import GOLDEN, GOLDEN_ESTIMATOR, GOLDEN_GATE, GOLDEN_PACK_GATE
from edge_bridge.bundle.runtime import configure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control.gate import Gate
    from drivers.snapshot import Floats
    from edge_bridge.bundle.golden_gate import GateAnswer, GateStep
    from edge_bridge.bundle.manifest import Bundle
    from edge_bridge.bundle.runtime import Configuration

# Another processor rounds `exp` and the order of sums differently in the last bit (1e-16); over some hundred ticks a
# filter increases that to 1e-13. A parameter changed in its sixth digit gives a difference of 1e-7.
TOLERANCE: Final = 1e-9
MIN_REFERENCE: Final = 1e-6  # the smallest reference of a relative difference: zero has none


@dataclass(frozen=True)
class GoldenResult:
    """Whether estimator and gate give the recorded results here; `worst` is the largest relative difference."""

    ok: bool
    worst: float
    sentence: str


def replay(bundle: Bundle) -> GoldenResult:
    """Run the bundle's estimator and gate on its golden inputs; one that cannot run is not ok, with the reason."""
    try:
        with tempfile.TemporaryDirectory(prefix="golden-") as folder:
            return _replay(bundle, configure(bundle, Path(folder)))
    except PulseError as error:
        return GoldenResult(ok=False, worst=np.inf, sentence=f"cannot be run here: {error}")
    except Exception as error:  # noqa: BLE001  # a lane of another version may fail in any way
        return GoldenResult(ok=False, worst=np.inf, sentence=f"cannot be run here: {type(error).__name__}: {error}")


def _replay(bundle: Bundle, made: Configuration) -> GoldenResult:
    golden_json = bundle.json(GOLDEN)
    lane, inputs = made.bench.active("estimator").name, golden_estimator.inputs_width(made.pack.cells)
    recorded = vectors.decode_table(bundle.files[GOLDEN_ESTIMATOR], inputs + int(golden_json["estimator"]["answers"]))
    gates = [
        (made.make_gate(), GOLDEN_GATE, [golden_gate.from_json(row) for row in golden_json["gate"]]),
        (made.make_pack_gate(), GOLDEN_PACK_GATE, [golden_gate.from_json(row) for row in golden_json["pack_gate"]]),
    ]
    if not (len(recorded) and all(steps for _, _, steps in gates)):
        return GoldenResult(ok=False, worst=np.inf, sentence="it has no golden vectors")
    answers = golden_estimator.run_estimator(made.estimator, recorded[:, :inputs])
    if answers.shape != recorded[:, inputs:].shape:
        sentence = (
            f"estimator {lane} returns {answers.shape[1]} values a tick, {recorded.shape[1] - inputs} are recorded"
        )
        return GoldenResult(ok=False, worst=np.inf, sentence=f"{sentence}: another version of the lane")
    differences = relative_differences(answers, recorded[:, inputs:])
    worst = float(differences.max(initial=0.0))
    if not worst <= TOLERANCE:
        tick = int(differences.max(axis=1).argmax())
        sentence = f"estimator {lane} differs by {worst:.2g} at tick {tick}, tolerance {TOLERANCE:g}"
        return GoldenResult(ok=False, worst=worst, sentence=f"{sentence}: another version, or other parameters")
    for gate, name, steps in gates:
        rows = vectors.decode_table(bundle.files[name], 1 + 2 * len(gate.spec.table))
        gate_difference, mismatch = _replay_gate(gate, rows, steps)
        worst = max(worst, gate_difference)
        if mismatch:
            return GoldenResult(ok=False, worst=worst, sentence=mismatch)
    commands = sum(len(steps) for _, _, steps in gates)
    sentence = f"estimator {lane} repeats {len(recorded)} ticks within {worst:.1g} (tolerance {TOLERANCE:g})"
    return GoldenResult(ok=True, worst=worst, sentence=f"{sentence}, the gates repeat {commands} verdicts exactly")


def relative_differences(answers: Floats, recorded: Floats) -> Floats:
    """Return the relative difference by element; infinite where only one is a number, 0 where neither is."""
    with np.errstate(invalid="ignore"):
        differences = np.abs(answers - recorded) / np.maximum(np.abs(recorded), MIN_REFERENCE)
    differences[(answers == recorded) | (np.isnan(answers) & np.isnan(recorded))] = 0.0
    return np.where(np.isnan(differences), np.inf, differences)


def _replay_gate(gate: Gate, rows: Floats, steps: Sequence[tuple[GateStep, GateAnswer]]) -> tuple[float, str]:
    """Return the largest difference of applied currents, and the first different verdict as a sentence."""
    answers = golden_gate.run_steps(gate, rows, [step for step, _ in steps])
    worst = 0.0
    for (step, recorded), answer in zip(steps, answers, strict=True):
        pair: Any = (np.array([answer.applied_a]), np.array([recorded.applied_a]))
        difference = float(relative_differences(*pair)[0])
        if (answer.verdict, answer.words) != (recorded.verdict, recorded.words) or not difference <= TOLERANCE:
            now, then = (f"{one.verdict}, {one.applied_a:g} A, {one.words!r}" for one in (answer, recorded))
            return max(worst, difference), f"the gate's verdict on {step.what} differs: {now}; recorded is {then}"
        worst = max(worst, difference)
    return worst, ""
