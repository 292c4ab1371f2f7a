"""What became of sessions that did not end in order: the last verdict of a guard that outlived its engine."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from drivers.statefile import Damaged
from workbench.engine import session_journal
from workbench.session.events import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbench.engine.session_journal import Entry

REPORT: Final = "guard.jsonl"
WAIT_S: Final = 3.0  # for a guard that is about to end
LOOK_S: Final = 0.1
CHECK: Final = "check at the instruments that outputs are off and contactors open"


def show(tell: Callable[[Level, str, str], object], *, wait: Callable[[float], object] = time.sleep) -> None:
    """Tell of each session that did not end in order, once; one whose guard still works is told of again."""
    for path, entry in session_journal.unfinished():
        if isinstance(entry, Damaged):
            tell(Level.ALARM, "last shut-down", f"{entry.sentence}; a session did not end in order: {CHECK}")
            continue
        left_s = WAIT_S
        while entry.guard_lives and left_s > 0.0:
            wait(LOOK_S)
            left_s -= LOOK_S
        level, sentence = _verdict(entry)
        tell(level, "last shut-down", sentence)
        if not entry.guard_lives:
            session_journal.end(path)


def _verdict(entry: Entry) -> tuple[Level, str]:
    """How much it matters, and a sentence with run, bench, time and why."""
    what = (
        f"the engine of {Path(entry.folder).name} (bench {entry.bench}, since {entry.started}) did not leave in order"
    )
    try:
        lines = list(_lines(Path(entry.folder) / REPORT))
    except OSError as error:
        why = error.strerror or str(error)
        return Level.ALARM, f"{what}; its guard's report cannot be read ({why}), off is NOT verified: {CHECK}"
    tripped, ended = _newest(lines, "tripped") or dict[str, Any](), _newest(lines, "ended")
    why = str(tripped.get("reason", "no trip was noted"))
    safe = tripped.get("result") == "SAFE"
    if entry.guard_lives:
        words = "has verified off and still holds the bench" if safe else "still tries, off is NOT verified yet"
        return Level.WARNING if safe else Level.ALARM, f"{what}; its guard {words} ({why})"
    if ended is not None and ended.get("result") == "SAFE":
        return Level.INFO, f"{what}; its guard verified off ({why})"
    if ended is not None:
        return Level.ALARM, f"{what}; its guard gave up, off is NOT verified ({why}{_unverified(tripped)}): {CHECK}"
    if safe:
        return Level.WARNING, f"{what}; its guard verified off ({why}), then ended without a last word: {CHECK}"
    return Level.ALARM, f"{what}; its guard ended without a verdict ({why}), off is NOT verified: {CHECK}"


def _newest(lines: list[dict[str, Any]], kind: str) -> dict[str, Any] | None:
    return next((line for line in reversed(lines) if line.get("guard") == kind), None)


def _unverified(tripped: dict[str, Any]) -> str:
    """The steps that were not verified, with what was heard instead."""
    steps: Any = tripped.get("steps")
    if not isinstance(steps, list):
        return ""
    dicts = [cast("dict[str, Any]", step) for step in cast("list[Any]", steps) if isinstance(step, dict)]
    told = "; ".join(f"{step.get('name')}: {step.get('detail')}" for step in dicts if not step.get("verified"))
    return f"; {told}" if told else ""


def _lines(report: Path) -> Iterator[dict[str, Any]]:
    """What the guard noted; a line that a power cut tore says nothing."""
    for line in report.read_bytes().splitlines():
        try:
            said: Any = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(said, dict):
            yield cast("dict[str, Any]", said)
