"""The shadow or the judgement under way: one at a time, in a child process, and why none can be started."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal

import control.rl
from workbench.own_command import make_own_command
from workbench.window.control_page.judge_task import PromotionRequest, ShadowRequest, run_promotion, run_shadow
from workbench.window.control_page.promotion_controller import NO_ROOT, RESULTS
from workbench.window.control_page.verb_controller import VerbController
from workbench.window.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.session.actions import Failure
    from workbench.window.control_page.promotion_files import GateResult
    from workbench.window.tasks.background import Background

POLICY_SUFFIX: Final = ".onnx"
BUSY: Final = "A shadow or a judgement is under way."
NOT_BUSY: Final = "No shadow and no judgement is under way."
STOPPING: Final = "It ends, and writes nothing."
AT_CLOSE: Final = "The shadow or judgement is stopped; it leaves no result."
NO_CANDIDATE: Final = "Choose a candidate first."
NO_POLICY: Final = "Only a policy (*.onnx) can be judged; choose one as the candidate."
SAME: Final = "The candidate is the active one; choose another."


def list_shipped_policies() -> list[Path]:
    """Return the policies that ship with the workbench."""
    return sorted((Path(control.rl.__file__).parent / "policies").glob(f"*{POLICY_SUFFIX}"))


class JudgeController(VerbController):
    """Runs `shadow` and `promote` for the window."""

    judged = Signal()  # one more gate
    ended = Signal()

    def __init__(
        self,
        background: Background,
        root: Path | None,
        make_command: Callable[..., list[str]] = make_own_command,
    ) -> None:
        super().__init__(NOT_BUSY, STOPPING)
        self._background, self._make_command = background, make_command
        self.folder = None if root is None else root.resolve() / RESULTS
        self.request: ShadowRequest | PromotionRequest | None = None
        self.gates: tuple[GateResult, ...] = ()

    @property
    def word(self) -> str:
        """What stands in place of the page's name; empty while nothing goes on."""
        return self.request.word if self.is_busy and self.request is not None else ""

    @property
    def is_judging(self) -> bool:
        """Whether a judgement for a promotion is under way."""
        return self.is_busy and isinstance(self.request, PromotionRequest)

    def why_not_shadow(self, active: str, candidate: str) -> str:
        if why_not := self._why_not_start(candidate):
            return why_not
        return SAME if active == candidate else ""

    def why_not_judge(self, candidate: str) -> str:
        if why_not := self._why_not_start(candidate):
            return why_not
        return "" if candidate.endswith(POLICY_SUFFIX) else NO_POLICY

    def _why_not_start(self, candidate: str) -> str:
        if self.folder is None:
            return NO_ROOT
        if self.is_busy:
            return BUSY
        return "" if candidate else NO_CANDIDATE

    # ---- work

    def choose_folder(self, folder: Path) -> None:
        """Write the next results below this folder."""
        self.folder = folder.resolve()
        self.changed.emit()

    def run_shadow(self, active: str, candidate: str, days: int, processes: int) -> None:
        """Run the candidate in the shadow, unless it cannot be started."""
        if not self.why_not_shadow(active, candidate):
            request = ShadowRequest(active, candidate, days, processes, self._make_folder("shadow", candidate))
            task = self._make_task(f"Shadow of {active}", "The shadow failed")
            self._begin(request)
            self.task = self._background.run(task, run_shadow, request, self._make_command(*request.words))
            self.changed.emit()

    def judge(self, policy: str, episodes: int | None, processes: int) -> None:
        """Judge a policy for a promotion, unless it cannot be started."""
        if not self.why_not_judge(policy):
            request = PromotionRequest(policy, episodes, processes, self._make_folder("promote", policy))
            task = self._make_task("Judge the policy", "The policy cannot be judged")
            self._begin(request)
            self.task = self._background.run(task, run_promotion, request, self._make_command(*request.words))
            self.changed.emit()

    def _begin(self, request: ShadowRequest | PromotionRequest) -> None:
        self.request, self.gates, self._is_stopping = request, (), False

    def _make_folder(self, verb: str, candidate: str) -> Path:
        stamp = datetime.now().astimezone().strftime("%Y-%m-%d_%H%M%S")
        return (self.folder or Path()) / f"{stamp}_{verb}_{Path(candidate).stem}"

    def _make_task(self, title: str, trouble: str) -> Task[bool]:
        return Task[bool](
            title,
            ready=self._on_ready,
            failed=self._on_failed,
            moved=self.changed.emit,
            message=self._take,
            trouble=trouble,
            at_close=AT_CLOSE,
        )

    def _take(self, gates: tuple[GateResult, ...]) -> None:
        self.gates = gates
        self.judged.emit()

    def _on_ready(self, has_ended: bool) -> None:  # noqa: FBT001  # the result of the task
        del has_ended
        self.gates = ()
        self.ended.emit()
        self.changed.emit()

    def _on_failed(self, failure: Failure) -> None:
        self.gates = ()
        self.failed.emit(failure)
        self.ended.emit()
        self.changed.emit()
