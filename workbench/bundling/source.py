"""The run from which a bundle is built: sealed and complete, with notes on what happened in it."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from control.state import BenchState
from drivers.channel_names import BENCH_STATE, LOOP_NUMBER
from drivers.errors import Refused
from drivers.event import INJECTED, EventKind, Level
from drivers.evidence_class import CLASSES
from drivers.runlog.folder import ABOUT, SEALED, being_written, load
from drivers.runlog.run import Run
from workbench.bundling.deviations import Deviation

if TYPE_CHECKING:
    from pathlib import Path

MAX_NOTES: Final = 20


def open_run(folder: Path) -> Run:
    """Open the run in `folder`; raise `RunLogError` where there is none, `Refused` for one that proves nothing."""
    about = load(folder)
    if about.state != "sealed":
        live = being_written(about)
        what = "is still being recorded" if live else "was not sealed, because its process was killed"
        hint = "stop the session first" if live else "open it once to seal it: python main.py replay RUN"
        raise Refused(what, where=str(folder), key="state", value=about.state, bound="sealed", hint=hint)
    run = Run.open(folder)
    with ExitStack() as undo:
        undo.callback(run.close)
        if reason := _find_defect(run):
            raise Refused(reason, where=str(folder), hint="build from a run that was recorded completely")
        undo.pop_all()
    return run


def describe_run(run: Run) -> dict[str, Any]:
    """Return the entry of the run in `evidence.json`; the person who signs should read its `notes`."""
    about = run.about
    return {
        "name": run.name,
        "started": about.started,
        "ticks": run.count,
        "duration_s": run.duration_s,
        "sha256": {name: _hash_file(run.folder / name) for name in (ABOUT, SEALED)},
        "notes": _make_notes(run),
    }


def list_deviations(run: Run) -> tuple[Deviation, ...]:
    """Return what a person must accept: the faults and defects that were injected in the run."""
    faults = [record.event.text for record in run.events() if record.event.source == INJECTED]
    defects = [str(name)] if (name := run.meta.get("defects")) else []
    return tuple(
        Deviation(kind, f"a {kind} was injected in run {run.name}: {'; '.join(texts[:MAX_NOTES])}")
        for kind, texts in (("fault", faults), ("defect", defects))
        if texts
    )


def _find_defect(run: Run) -> str:
    """Return why this run cannot be the base of a bundle; empty where it can."""
    meta, about = run.meta, run.about
    if meta.get("evidence") not in CLASSES:
        return f"has no valid evidence class: {meta.get('evidence')!r}"
    if not isinstance(meta.get("bench", {}).get("text"), str):
        return "does not contain its bench file"
    needed = {LOOP_NUMBER, BENCH_STATE} - set(run.table.names)
    if needed:
        return f"has no channel {', '.join(sorted(needed))}"
    # a killed run lacks its last ticks; the tick numbers show any other gap
    lost_inside = about.lost and not about.recovered
    if run.count != about.ticks or lost_inside:
        return f"contains {run.count} of {about.ticks} ticks, {about.lost} were lost in recording"
    steps = np.diff(run.columns([LOOP_NUMBER])[LOOP_NUMBER])
    if not (steps == 1.0).all():
        return f"has gaps in its tick numbers: {np.count_nonzero(steps != 1.0)}"
    return ""


def _make_notes(run: Run) -> list[str]:
    """Return notes: alarms, lane switches, a trip, a recovery after a kill."""
    events = [record.event for record in run.events()]
    notes = [event.text for event in events if event.level is Level.ALARM or event.kind == EventKind.LANE_ACTIVE]
    if (run.columns([BENCH_STATE])[BENCH_STATE] == BenchState.TRIPPED).any():
        notes.insert(0, "the bench tripped in this run")
    if run.about.recovered:
        lacks = f"; its last {run.about.lost} ticks are lost" if run.about.lost else ""
        notes.insert(0, f"the run was recovered from a process that was killed{lacks}")
    return notes[:MAX_NOTES]


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
