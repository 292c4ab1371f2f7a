"""A shadow or a judgement under way: the verb `shadow` or `promote`, its progress, and the gates judged so far."""

from __future__ import annotations

import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workbench.window.control_page.promotion_files import read_gates_so_far
from workbench.window.control_page.verb_process import read_tail, require_end, run_process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.window.tasks.task import Reporter

SO_FAR: Final = "judged_so_far.json"  # as the verb `promote` names it
SHADOW_FILE: Final = "shadow.json"
CHECK_FAILED: Final = 1  # the status of a policy that is not promoted
_COUNT: Final = re.compile(r"(\d+) of (\d+) (?:episodes|days)|day (\d+) of (\d+)")
_FAST: Final = re.compile(r"fast environment (with|without) the shield")
_FAST_PART: Final = 0.02  # of a judgement, each of two; the adversaries and the days share the rest
_STAGES: Final = 6  # five kinds of trouble, then the cost


@dataclass(frozen=True, slots=True)
class ShadowRequest:
    """What `shadow` is asked for; names as the verb knows them."""

    active: str
    candidate: str
    days: int
    processes: int
    out: Path

    word = "in shadow"  # what the window calls it

    @property
    def words(self) -> list[str]:
        """The verb and its options."""
        words = ["shadow", "--active", self.active, "--candidate", self.candidate, "--days", str(self.days)]
        return [*words, "--processes", str(self.processes), "--json"]


@dataclass(frozen=True, slots=True)
class PromotionRequest:
    """What `promote` is asked for; `episodes` None: as many as the rules ask for."""

    policy: str
    episodes: int | None
    processes: int
    out: Path

    word = "judging"

    @property
    def words(self) -> list[str]:
        """The verb and its options."""
        words = ["promote", self.policy, "--out", str(self.out), "--processes", str(self.processes)]
        if self.episodes is None:
            return words
        for name in ("--episodes", "--adversarial", "--days"):
            words += [name, str(self.episodes)]
        return words


def run_shadow(reporter: Reporter, request: ShadowRequest, command: Sequence[str]) -> bool:
    """Run a shadow; return False if it was stopped. Its report is written as a whole, or not at all."""
    request.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pulsebms-shadow-", ignore_cleanup_errors=True) as home:
        log, part = Path(home) / "log", request.out / f"{SHADOW_FILE}.part"
        try:
            status = run_process(reporter, command, log, find_fraction, output=part)
            require_end(status, {0}, read_tail(log), "the shadow")
            if status is not None:
                part.replace(request.out / SHADOW_FILE)
        finally:
            part.unlink(missing_ok=True)
            _remove_empty(request.out)
    return status is not None


def run_promotion(reporter: Reporter, request: PromotionRequest, command: Sequence[str]) -> bool:
    """Run a judgement; return False if it was stopped. Sends the gates whenever one more is judged."""
    request.out.mkdir(parents=True, exist_ok=True)
    judge = JudgeProgress()
    so_far, known = request.out / SO_FAR, 0

    def look(line: str) -> float | None:
        nonlocal known
        if len(gates := read_gates_so_far(so_far)) > known:
            known = len(gates)
            reporter.send(gates)
        return judge.find_fraction(line)

    with tempfile.TemporaryDirectory(prefix="pulsebms-promote-", ignore_cleanup_errors=True) as home:
        log = Path(home) / "log"
        try:
            status = run_process(reporter, command, log, look)
            require_end(status, {0, CHECK_FAILED}, read_tail(log), "the judgement")
        finally:
            _remove_empty(request.out)
    return status is not None


def find_fraction(line: str) -> float | None:
    """Return what a line of progress says is done of its own count; None if it says nothing."""
    if (found := _COUNT.search(line)) is None:
        return None
    done, most = (int(number) for number in found.groups() if number is not None)
    return done / max(most, 1)


class JudgeProgress:
    """The fraction of a whole judgement: each stage counts its own episodes, one after the other."""

    def __init__(self) -> None:
        self._fraction: float | None = None
        self._stage = ""
        self._begun = 0

    def find_fraction(self, line: str) -> float | None:
        """Return the fraction after a line; that of before if it says nothing, and it never goes back."""
        if (own := find_fraction(line)) is None:
            return self._fraction
        if (fast := _FAST.search(line)) is not None:
            whole = (_FAST_PART if fast[1] == "without" else 0.0) + _FAST_PART * own
        else:
            stage = line.partition(":")[0]
            if stage != self._stage:
                self._stage, self._begun = stage, self._begun + 1
            each = (1.0 - 2.0 * _FAST_PART) / _STAGES
            whole = 2.0 * _FAST_PART + each * (min(self._begun, _STAGES) - 1 + own)
        self._fraction = max(self._fraction or 0.0, whole)
        return self._fraction


def _remove_empty(folder: Path) -> None:
    """Remove a folder that nothing was written into."""
    with suppress(OSError):
        folder.rmdir()
