"""How the sessions ended that did not end in order: the last verdict of a guard that outlived its engine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from control import guard_journal
from control.guard_reports import GuardEnded, GuardResult, TripReport
from drivers.event import Event, Level
from drivers.state_file import DamagedFile
from workbench.engine import session_journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from control.guard_journal import GuardJournal
    from workbench.engine.session_journal import SessionEntry

SOURCE: Final = "last shut-down"
WAIT_S: Final = 3.0  # for a guard that is about to end
LOOK_S: Final = 0.1
CHECK: Final = "check at the instruments that the outputs are off and the contactors open"


def show(tell: Callable[[Event], object], *, wait: Callable[[float], object] = time.sleep) -> None:
    """Report each session that did not end in order, once; report it again while its guard still works."""
    for path, entry in session_journal.unfinished():
        if isinstance(entry, DamagedFile):
            tell(Event(Level.ALARM, SOURCE, f"{entry.sentence}; a session did not shut down normally: {CHECK}"))
            continue
        left_s = WAIT_S
        while entry.guard_lives and left_s > 0.0:
            wait(LOOK_S)
            left_s -= LOOK_S
        level, text = _verdict(entry)
        tell(Event(level, SOURCE, text))
        if not entry.guard_lives:
            session_journal.end(path)


def _verdict(entry: SessionEntry) -> tuple[Level, str]:
    """Return the level, and a sentence with run, bench, time and reason."""
    what = (
        f"the engine of {Path(entry.folder).name} (bench {entry.bench}, since {entry.started}) "
        "did not shut down normally"
    )
    try:
        journal = guard_journal.read_journal(Path(entry.folder) / guard_journal.FILE_NAME)
    except OSError as error:
        why = error.strerror or str(error)
        return Level.ALARM, f"{what}; its guard's report cannot be read ({why}), off is NOT verified: {CHECK}"
    level, words = _guards_verdict(journal, lives=entry.guard_lives)
    return level, f"{what}; {words}{_damage(journal)}"


def _guards_verdict(journal: GuardJournal, *, lives: bool) -> tuple[Level, str]:
    """Return the level and what the guard verified; `lives`: the guard still works."""
    report, ended = journal.newest(TripReport), journal.newest(GuardEnded)
    safe = report is not None and report.is_safe
    why = "no trip was recorded" if report is None else report.reason
    if lives:
        words = "has verified off and still has the bench" if safe else "is still trying, off is NOT verified yet"
        return Level.WARNING if safe else Level.ALARM, f"its guard {words} ({why})"
    if ended is not None and ended.result is GuardResult.SAFE:
        return Level.INFO, f"its guard verified off ({why})"
    if ended is not None:
        return Level.ALARM, f"its guard gave up, off is NOT verified ({why}{_unverified(report)}): {CHECK}"
    if safe:
        return Level.WARNING, f"its guard verified off ({why}), then ended without its final report: {CHECK}"
    return Level.ALARM, f"its guard ended without a result ({why}), off is NOT verified: {CHECK}"


def _unverified(report: TripReport | None) -> str:
    """Return the steps that were not verified, with what was read instead."""
    steps = () if report is None else report.steps
    return "".join(f"; {step.name}: {step.detail}" for step in steps if not step.verified)


def _damage(journal: GuardJournal) -> str:
    """Return the first unreadable line of the journal, and how many more there are."""
    if not journal.damage:
        return ""
    more = len(journal.damage) - 1
    return f"; {journal.damage[0]}" + (f", and {more} more" if more else "")
