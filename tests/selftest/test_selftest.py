"""The live half of the selftest with one defect injected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.selftest.walk import failed, selftest
from workbench.selftest.steps import STEPS

if TYPE_CHECKING:
    from pathlib import Path

DEFECTS = [  # the last of the steps must find it, the ones before must not fail
    ("swap-cells", ["connect", "arm"]),
    ("drop-tick", ["connect", "arm", "run"]),
    ("bms-threshold", ["connect", "arm", "fault"]),
    ("kill-guard", ["connect", "arm", "limit"]),
]


@pytest.mark.whole_bench
@pytest.mark.parametrize(("name", "steps"), DEFECTS)
def test_an_injected_defect_fails_the_step_that_must_find_it(tmp_path: Path, name: str, steps: list[str]) -> None:
    status, answer, told = selftest(tmp_path, "--only", ",".join(steps), "--inject-defect", name)
    assert status == 1, told
    assert failed(answer) == steps[-1:]


@pytest.mark.timed
@pytest.mark.whole_bench
def test_a_selftest_does_not_go_on_without_a_bench(tmp_path: Path) -> None:
    status, answer, told = selftest(tmp_path, "--inject-defect", "mute-supply")
    assert status == 1
    assert answer["duration_s"] < 30.0, told
    assert failed(answer)[0] == "connect"
    assert [step["value"] for step in answer["steps"][1:]] == ["not run"] * (len(STEPS) - 1)


@pytest.mark.whole_bench
def test_a_defect_in_the_device_fails_the_step_certify(tmp_path: Path) -> None:
    status, answer, told = selftest(tmp_path, "--only", "certify", "--inject-defect", "seed-defect")
    assert status == 1, told
    assert failed(answer) == ["certify"]
    assert "FAIL" in answer["steps"][0]["evidence"]
