"""The newest judgement and shadow of a folder, and the promotion of the policy that was judged."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from drivers.errors import Refused
from workbench.session.actions import Failure
from workbench.window.control_page.promotion_files import PROMOTED, JudgeResults, find_results
from workbench.window.control_page.training_controller import FILES, FOLDER
from workbench.window.tasks.task import Task

if TYPE_CHECKING:
    from workbench.window.control_page.promotion_files import GateResult, PromotionRecord
    from workbench.window.tasks.background import Background

RESULTS, KEPT = "promotions", "promoted"
NO_RESULT: Final = "No policy has been judged yet."
NO_ROOT: Final = "This window has no folder for results; open it with --out."
PROMOTING: Final = "The policy is being promoted."
NO_GATES: Final = "The result has no gates."
_SHORT: Final = 12  # characters of a hash


class PromotionController(QObject):
    """Reads results in a thread; promotes at the operator's request alone."""

    changed = Signal()
    promoted = Signal(object)  # Path of the policy
    failed = Signal(Failure)

    def __init__(self, background: Background, root: Path | None) -> None:
        super().__init__()
        self._background = background
        self.root = None if root is None else root.resolve()
        self.results = JudgeResults()
        self._is_promoting = False
        self._reading: Task[JudgeResults] | None = None
        self._more_folders: tuple[Path, ...] = ()
        self._policies: tuple[Path, ...] = ()

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where results and policies are looked for."""
        own = () if self.root is None else (self.root / RESULTS, self.root / FOLDER)
        return (*own, *self._more_folders)

    def look_in(self, folder: Path, policy: Path) -> None:
        """Look for results in this folder too, and know this policy, wherever it is."""
        if not any(folder.is_relative_to(known) for known in self.folders):
            self._more_folders = (*self._more_folders, folder)
        if policy not in self._policies:
            self._policies = (*self._policies, policy)

    def refresh(self) -> None:
        """Read the newest results again."""
        if self.root is None or (self._reading is not None and not self._reading.done):
            return
        folders = self.folders
        self._reading = Task[JudgeResults]("Read the results", ready=self._on_read)
        self._background.run_in_thread(self._reading, lambda _: find_results(folders), queue=FILES)

    def _on_read(self, results: JudgeResults) -> None:
        if results != self.results:
            self.results = results
            self.changed.emit()

    def why_not_promote(self) -> str:
        """Return the first gate that does not hold, or why there is nothing to promote."""
        if self.root is None:
            return NO_ROOT
        if self._is_promoting:
            return PROMOTING
        record = self.results.promotion
        if record is None:
            return NO_RESULT
        if not record.gates:
            return NO_GATES
        if (gate := record.first_open) is not None:
            return describe_open(gate)
        return "" if record.verdict == PROMOTED else f"The result says: {record.verdict}."

    def promote(self) -> None:
        """Keep the judged policy, found by its hash, and its result where bench files can name it."""
        record, root = self.results.promotion, self.root
        if self.why_not_promote() or record is None or root is None:
            return
        self._is_promoting, folders, policies = True, self.folders, self._policies
        task = Task[Path](
            "Promote", ready=self._on_promoted, failed=self._on_failed, trouble="The policy cannot be promoted"
        )
        self._background.run_in_thread(task, lambda _: keep_policy(record, folders, root / KEPT, policies), queue=FILES)
        self.changed.emit()

    def _on_promoted(self, policy: Path) -> None:
        self._is_promoting = False
        self.changed.emit()
        self.promoted.emit(policy)

    def _on_failed(self, failure: Failure) -> None:
        self._is_promoting = False
        self.failed.emit(failure)
        self.changed.emit()


def keep_policy(
    record: PromotionRecord, folders: tuple[Path, ...], kept: Path, policies: tuple[Path, ...] = ()
) -> Path:
    """Copy the policy with the hash of `record`, and its result, into `kept`; raise `Refused` if there is none.

    It is one of `policies`, or lies below `folders`.
    """
    known = (path for path in policies if path.is_file())
    for file in (*known, *(path for folder in folders for path in sorted(folder.rglob("*.onnx")))):
        data = file.read_bytes()
        if hashlib.sha256(data).hexdigest() == record.policy_sha256:
            kept.mkdir(parents=True, exist_ok=True)
            copy = kept / f"{record.task}-{record.policy_sha256[:_SHORT]}.onnx"
            copy.write_bytes(data)
            shutil.copyfile(record.file, copy.with_suffix(".json"))
            return copy
    raise Refused(
        f"no policy with the hash {record.policy_sha256[:_SHORT]} of {record.file.name} was found",
        hint=f"copy it below {folders[0]}",
    )


def describe_open(gate: GateResult) -> str:
    """Return a sentence on a gate that does not hold."""
    words = {"fails": "does not hold", "not run": "was not run", "shortened": "was judged on too few episodes"}
    return f"The gate {gate.name!r} {words[gate.word]}{f': {gate.reason}' if gate.reason else ''}."
