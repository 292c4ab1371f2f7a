"""The chain behind the bench: each of its defects fails the step that must find it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from drivers.benchfile import read_bench
from edge_bridge.bundle import keys
from tests.edge_bridge.bundle.run import synthetic_run
from tests.selftest.walk import failed, selftest
from tests.workbench.own_cli import run_here
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.verbs.selftest import SUMMARY

pytestmark = [pytest.mark.whole_bench, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A selftest that has a run and a bundle; the run is made, so that nobody asks the machine to keep time here."""
    earlier = tmp_path_factory.mktemp("earlier")
    run = synthetic_run(earlier / "run", read_bench(EMULATED_BENCH))
    (earlier / SUMMARY).write_text(json.dumps({"files": {"run": str(run), "report": None, "bundle": None}}))
    out = tmp_path_factory.mktemp("selftest")
    status, answer, told = selftest(out, "--only", "bundle", "--from", str(earlier))
    assert status == 0, told
    return Path(answer["files"]["bundle"]).parent


def verb(*arguments: object) -> dict[str, Any]:
    done = run_here(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_run_of_a_selftest_becomes_a_bundle_by_the_verbs_that_an_edge_would_believe(
    tmp_path: Path, walked: Path
) -> None:
    run = json.loads((walked / SUMMARY).read_text())["files"]["run"]
    private, _ = keys.make_key(tmp_path / "keys", "release")
    out = tmp_path / "pack.bundle"
    built = verb("bundle", "build", run, "--key", private, "--out", out)
    assert built["class"] == "SIM"
    seen = verb("bundle", "verify", out, "--trust", tmp_path / "keys", "--replay")
    assert seen["sha256"] == built["sha256"]
    assert seen["reason"] == ""


@pytest.mark.parametrize("name", ["flip-bundle-byte", "foreign-key"])
def test_a_bundle_that_is_not_what_was_signed_fails_the_step_bundle(tmp_path: Path, walked: Path, name: str) -> None:
    steps = ("--only", "bundle,edge", "--from", str(walked))
    done = run_here("selftest", "--json", "--out", tmp_path, *steps, "--inject-defect", name)
    answer = json.loads(done.stdout)
    assert done.returncode == 1, done.stderr
    assert answer["steps"][0]["value"] == "failed"
    assert answer["steps"][1]["value"] == "not run"


@pytest.mark.parametrize("name", ["broker-stays-down", "lose-row", "double-row"])
def test_rows_that_are_lost_or_stored_twice_fail_the_step_fleet(tmp_path: Path, walked: Path, name: str) -> None:
    steps = ("--only", "edge,fleet", "--from", str(walked))
    status, answer, told = selftest(tmp_path, *steps, "--inject-defect", name)
    assert status == 1, told
    assert failed(answer) == ["fleet"]
    assert answer["steps"][-1]["value"] != "failed", "it failed for another reason"


def test_a_selftest_does_not_go_on_from_a_folder_that_holds_none(tmp_path: Path) -> None:
    done = run_here("selftest", "--json", "--out", tmp_path, "--only", "bundle", "--from", tmp_path)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["key"] == "from"
