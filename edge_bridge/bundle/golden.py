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
    said = bundle.json(GOLDEN)
    lane, wide = made.bench.active("estimator").name, golden_estimator.inputs_width(made.pack.cells)
    known = vectors.decode_table(bundle.files[GOLDEN_ESTIMATOR], wide + int(said["estimator"]["answers"]))
    gates = [
        (made.make_gate(), GOLDEN_GATE, [golden_gate.from_json(row) for row in said["gate"]]),
        (made.make_pack_gate(), GOLDEN_PACK_GATE, [golden_gate.from_json(row) for row in said["pack_gate"]]),
    ]
    if not (len(known) and all(pairs for _, _, pairs in gates)):
        return GoldenResult(ok=False, worst=np.inf, sentence="it has no golden vectors: nothing is proven by them")
    found = golden_estimator.run_estimator(made.estimator, known[:, :wide])
    if found.shape != known[:, wide:].shape:
        sentence = f"estimator {lane} answers {found.shape[1]} values a tick, recorded are {known.shape[1] - wide}"
        return GoldenResult(ok=False, worst=np.inf, sentence=f"{sentence}: another version of the lane")
    apart = relative_differences(found, known[:, wide:])
    worst = float(apart.max(initial=0.0))
    if not worst <= TOLERANCE:
        tick = int(apart.max(axis=1).argmax())
        sentence = f"estimator {lane} differs by {worst:.2g} at tick {tick}, tolerance {TOLERANCE:g}"
        return GoldenResult(ok=False, worst=worst, sentence=f"{sentence}: another version, or other parameters")
    for gate, name, pairs in gates:
        rows = vectors.decode_table(bundle.files[name], 1 + 2 * len(gate.spec.table))
        gate_apart, mismatch = _replay_gate(gate, rows, pairs)
        worst = max(worst, gate_apart)
        if mismatch:
            return GoldenResult(ok=False, worst=worst, sentence=mismatch)
    commands = sum(len(pairs) for _, _, pairs in gates)
    sentence = f"estimator {lane} answers {len(known)} ticks within {worst:.1g} (tolerance {TOLERANCE:g})"
    return GoldenResult(ok=True, worst=worst, sentence=f"{sentence}, the gates {commands} commands word for word")


def relative_differences(found: Floats, known: Floats) -> Floats:
    """Return the relative difference by element; infinite where only one is a number, 0 where neither is."""
    with np.errstate(invalid="ignore"):
        apart = np.abs(found - known) / np.maximum(np.abs(known), MIN_REFERENCE)
    apart[(found == known) | (np.isnan(found) & np.isnan(known))] = 0.0
    return np.where(np.isnan(apart), np.inf, apart)


def _replay_gate(gate: Gate, rows: Floats, pairs: Sequence[tuple[GateStep, GateAnswer]]) -> tuple[float, str]:
    """Return the largest difference of applied currents, and the first different verdict as a sentence."""
    found = golden_gate.run_steps(gate, rows, [step for step, _ in pairs])
    worst = 0.0
    for (step, known), answer in zip(pairs, found, strict=True):
        pair: Any = (np.array([answer.applied_a]), np.array([known.applied_a]))
        apart = float(relative_differences(*pair)[0])
        if (answer.verdict, answer.words) != (known.verdict, known.words) or not apart <= TOLERANCE:
            now, then = (f"{one.verdict}, {one.applied_a:g} A, {one.words!r}" for one in (answer, known))
            return max(worst, apart), f"the gate answers another thing to {step.what}: {now}; recorded is {then}"
        worst = max(worst, apart)
    return worst, ""
