"""A guard that seems well: each of the four ways to switch off must notice that it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tour.walk import tour

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.live
@pytest.mark.timeout(240)
def test_a_guard_that_beats_but_does_not_send_fails_all_four_reaction_times(tmp_path: Path) -> None:
    four = ["limit", "outputs_off", "engine_killed", "window_killed"]
    status, answer, told = tour(tmp_path, "--only", ",".join(four), "--sabotage", "mute-guard")
    assert status == 1, told
    assert {step["name"]: step["ok"] for step in answer["steps"]} == dict.fromkeys(four, False)
    assert not any("guard's connection:" in step["evidence"] for step in answer["steps"]), "the bench could be armed"
