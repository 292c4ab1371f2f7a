"""A guard that seems well: whatever only the guard can switch off must notice that it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.leaks import Watch
from tests.selftest.walk import selftest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.whole_bench
@pytest.mark.timeout(240)
def test_a_guard_that_beats_but_does_not_send_fails_the_reaction_times_that_are_its_own(tmp_path: Path) -> None:
    its_own = ["limit", "engine_killed", "window_killed"]
    steps = [*its_own[:1], "outputs_off", *its_own[1:]]
    watch = Watch()
    status, answer, told = selftest(tmp_path, "--only", ",".join(steps), "--inject-defect", "mute-guard")
    assert status == 1, told
    verdicts = {step["name"]: step["ok"] for step in answer["steps"]}
    assert verdicts == dict.fromkeys(its_own, False) | {"outputs_off": True}, "OUTPUTS OFF is done by the engine too"
    assert not any("guard's connection:" in step["evidence"] for step in answer["steps"]), "the bench could be armed"
    watch.end()  # a guard that never verifies off goes on for two minutes, and its bench with it
