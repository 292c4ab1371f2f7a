"""The chain behind the bench: each of its sabotages fails at the step that should notice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tour.walk import failed, tour

pytestmark = [pytest.mark.live, pytest.mark.timeout(200)]


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tour that has a run, a certificate and a bundle."""
    status, answer, told = tour(tmp_path_factory.mktemp("tour"), "--only", "run,bundle")
    assert status == 0, told
    return Path(answer["files"]["bundle"]).parent


@pytest.mark.parametrize("name", ["flip-bundle-byte", "foreign-key"])
def test_a_bundle_that_is_not_what_was_signed_fails_the_step_bundle(tmp_path: Path, walked: Path, name: str) -> None:
    steps = ("--only", "bundle,edge", "--from", str(walked))
    status, answer, told = tour(tmp_path, *steps, "--sabotage", name)
    assert status == 1, told
    assert answer["steps"][0]["value"] == "failed"
    assert answer["steps"][1]["value"] == "not walked"


def test_a_defect_in_the_device_fails_the_step_certify(tmp_path: Path) -> None:
    status, answer, told = tour(tmp_path, "--only", "certify", "--sabotage", "seed-defect")
    assert status == 1, told
    assert failed(answer) == ["certify"]
    assert "FAIL" in answer["steps"][0]["evidence"]


@pytest.mark.parametrize("name", ["broker-stays-down", "lose-row", "double-row"])
def test_rows_that_are_lost_or_stored_twice_fail_the_step_fleet(tmp_path: Path, walked: Path, name: str) -> None:
    steps = ("--only", "edge,fleet", "--from", str(walked))
    status, answer, told = tour(tmp_path, *steps, "--sabotage", name)
    assert status == 1, told
    assert failed(answer) == ["fleet"]
    assert answer["steps"][-1]["value"] != "failed", "it failed for another reason"


def test_a_tour_does_not_go_on_from_a_folder_that_holds_none(tmp_path: Path) -> None:
    status, answer, _ = tour(tmp_path, "--only", "bundle", "--from", str(tmp_path))
    assert status == 2
    assert answer["error"]["key"] == "from"
