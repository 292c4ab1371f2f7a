"""Golden commands of a gate on recorded snapshots, with and without injected input faults, and the exact verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np

from control.gate import Allowed, Held, Tripped
from drivers.snapshot import Command, Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from control.gate import Gate, Verdict
    from drivers.snapshot import ChannelTable, Floats

RESET_REASON = "golden vectors"
VERDICT_NAMES = {Allowed: "allowed", Held: "held", Tripped: "tripped"}


@dataclass(frozen=True)
class InputFault:
    """A fault of the channels that `channels` matches: a `value` (None: not a number), or their age."""

    channels: str
    value: float | None = None
    age_s: float | None = None


@dataclass(frozen=True)
class GateStep:
    """One command on the next snapshot: `current_a` None is NaN, `cell_v` is by cell from 1, `reset` is done before."""

    what: str
    current_a: float | None
    cell_v: Mapping[int, float]
    faults: tuple[InputFault, ...] = ()
    reset: bool = False


@dataclass(frozen=True)
class GateAnswer:
    """A verdict: allowed, held or tripped; the applied current; the text of the reason."""

    verdict: str
    applied_a: float
    words: str


def pack_snapshots(seen: Sequence[Snapshot]) -> Floats:
    """Make `[ticks, 1 + 2 channels]`: time, values, sample times."""
    return np.array([np.concatenate(((one.t_s,), one.values, one.sampled_s)) for one in seen])


def run_steps(gate: Gate, rows: Floats, steps: Sequence[GateStep]) -> list[GateAnswer]:
    """Return the gate's answer to each step on the row of the same number; `ValueError` for more steps than rows."""
    if len(steps) > len(rows):
        raise ValueError(f"{len(steps)} steps on {len(rows)} snapshots")
    found: list[GateAnswer] = []
    for row, step in zip(rows, steps, strict=False):
        snapshot = _unpack_snapshot(gate.spec.table, row)
        requested = _make_command(gate, snapshot, step)
        if step.reset:
            gate.reset(RESET_REASON)
        found.append(_make_answer(gate.check(_apply_faults(snapshot, step), requested)))
    return found


def as_json(step: GateStep, answer: GateAnswer) -> dict[str, Any]:
    """Return a step and its verdict as a row of `golden.json`."""
    faults = [{"channels": one.channels, "value": one.value, "age_s": one.age_s} for one in step.faults]
    cells = {str(cell): volts for cell, volts in step.cell_v.items()}
    asked = {"what": step.what, "current_a": step.current_a, "cell_v": cells, "spoils": faults, "reset": step.reset}
    return {**asked, "verdict": answer.verdict, "applied_a": answer.applied_a, "words": answer.words}


def from_json(row: Any) -> tuple[GateStep, GateAnswer]:
    """Read a row of `as_json`; raise `KeyError`, `TypeError` or `ValueError`."""
    faults = tuple(
        InputFault(str(one["channels"]), _number(one["value"]), _number(one["age_s"])) for one in row["spoils"]
    )
    cells = {int(cell): float(volts) for cell, volts in row["cell_v"].items()}
    step = GateStep(str(row["what"]), _number(row["current_a"]), cells, faults, row["reset"] is True)
    return step, GateAnswer(str(row["verdict"]), float(row["applied_a"]), str(row["words"]))


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _unpack_snapshot(table: ChannelTable, row: Floats) -> Snapshot:
    values, sampled_s = np.split(row[1:].copy(), 2)
    return Snapshot(table, float(row[0]), values, sampled_s, np.zeros(len(table), dtype=np.uint8))


def _make_command(gate: Gate, snapshot: Snapshot, step: GateStep) -> Command:
    """Make a command of the step's current and the measured cell values: the bench keeps its present state."""
    spec, values = gate.spec, snapshot.values
    cell_v = values[spec.table.indices(spec.cell_voltage)]
    for cell, volts in step.cell_v.items():
        cell_v[cell - 1] = volts
    current_a = np.nan if step.current_a is None else step.current_a
    return Command(current_a, cell_v, values[spec.table.indices(spec.cell_temperature)])


def _apply_faults(snapshot: Snapshot, step: GateStep) -> Snapshot:
    for fault in step.faults:
        for column, name in enumerate(snapshot.table.names):
            if fnmatchcase(name, fault.channels):
                if fault.age_s is None:
                    snapshot.values[column] = np.nan if fault.value is None else fault.value
                else:
                    snapshot.sampled_s[column] = snapshot.t_s - fault.age_s
    return snapshot


def _make_answer(verdict: Verdict) -> GateAnswer:
    words = "" if isinstance(verdict, Allowed) else verdict.reason
    return GateAnswer(VERDICT_NAMES[type(verdict)], float(verdict.apply.current_a), words)
