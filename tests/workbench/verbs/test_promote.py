"""`promote` while it judges: who watches it sees the gates so far; an interrupted one leaves no file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from control.tasks.promotion_gates import PromotionGate
from control.tasks.task import ControlTask, find_task, read_task
from drivers.errors import Usage
from tests.control.rl.handmade import make_policy
from tests.control.tasks.small import write_own_task
from workbench.report import Report
from workbench.verbs import promote
from workbench.window.control_page.judge_task import SO_FAR
from workbench.window.control_page.promotion_files import read_gates_so_far

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GATES = [PromotionGate("one", is_passed=True, evidence="e"), PromotionGate("two", is_passed=False, evidence="f")]


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], bool]:
    """Judge with gates that are given, and act after the first two of three."""
    policy = tmp_path / "policy.onnx"
    policy.write_bytes(make_policy(read_task(find_task("arbitrage"))))

    def judged(act: Callable[[], None]) -> bool:
        class FakeJudge:
            def __init__(self, *about: Any) -> None:
                del about

            def run(self) -> Iterator[PromotionGate]:
                yield from GATES
                act()
                yield PromotionGate("three", is_passed=True, evidence="g")

        monkeypatch.setattr(promote, "PromotionJudge", FakeJudge)
        return promote.main(Report("promote"), policy, tmp_path / "out", None, (None, None, None))

    return judged


def test_the_gates_so_far_are_there_for_who_watches(
    judge: Callable[[Callable[[], None]], bool], tmp_path: Path
) -> None:
    seen: list[str] = []

    def look() -> None:
        seen.extend(gate.name for gate in read_gates_so_far(tmp_path / "out" / SO_FAR))

    assert not judge(look)
    assert seen == ["one", "two"]
    assert promote.SO_FAR == SO_FAR
    assert [path.name for path in (tmp_path / "out").iterdir()] == [promote.RESULT]


def test_a_policy_of_a_task_of_ones_own_is_judged_on_the_file_of_that_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = write_own_task(tmp_path, "arbitrage")
    policy = tmp_path / "policy.onnx"
    policy.write_bytes(make_policy(read_task(own)))
    judged = list[str]()

    class FakeJudge:
        def __init__(self, _policy: Path, task: ControlTask, *_about: Any) -> None:
            judged.append(task.sha256)

        def run(self) -> Iterator[PromotionGate]:
            yield from GATES

    monkeypatch.setattr(promote, "PromotionJudge", FakeJudge)
    with pytest.raises(Usage, match="there is no task 'own'"):
        promote.main(Report("promote"), policy, tmp_path / "out", None, (None, None, None))
    assert not promote.main(Report("promote"), policy, tmp_path / "out", None, (None, None, None), task=str(own))
    assert judged == [read_task(own).sha256]


def test_a_judgement_that_is_interrupted_leaves_no_file(
    judge: Callable[[Callable[[], None]], bool], tmp_path: Path
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(interrupt)
    assert list((tmp_path / "out").iterdir()) == []
