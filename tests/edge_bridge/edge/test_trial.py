from __future__ import annotations

import os
import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from drivers.errors import BundleRefused
from edge_bridge.bundle import golden
from edge_bridge.bundle.golden import GoldenResult
from edge_bridge.bundle.verify import Acceptance
from edge_bridge.edge.verify_process import TIMEOUT_S, Candidate, VerifyProcess, verify_candidate
from tests.edge_bridge.edge.field import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_bridge.bundle.manifest import Bundle
    from tests.edge_bridge.edge.conftest import Shelf

NOW = datetime.now(UTC)


@pytest.fixture
def begun() -> Iterator[list[VerifyProcess]]:
    trials: list[VerifyProcess] = []
    yield trials
    for trial in trials:
        trial.close()


def begin(begun: list[VerifyProcess], data: bytes, shelf: Shelf) -> VerifyProcess:
    begun.append(VerifyProcess(Candidate(data, shelf.trust, NOW, Acceptance(state=shelf.trust)), 0.0))
    return begun[-1]


def test_a_bundle_in_order_passes_in_a_process_of_its_own(begun: list[VerifyProcess], shelf: Shelf) -> None:
    trial = begin(begun, shelf.first.read_bytes(), shelf)
    until(lambda: trial.is_done(0.0))
    assert trial.refusal is None


def test_a_refusal_comes_back_with_its_key(begun: list[VerifyProcess], shelf: Shelf) -> None:
    trial = begin(begun, b"no bundle", shelf)
    until(lambda: trial.is_done(0.0))
    assert isinstance(trial.refusal, BundleRefused)
    assert trial.refusal.key == "not_a_bundle"


def test_a_trial_whose_process_dies_refuses_the_bundle(begun: list[VerifyProcess], shelf: Shelf) -> None:
    trial = begin(begun, shelf.first.read_bytes(), shelf)
    pid = trial.pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: trial.is_done(0.0))
    assert trial.refusal is not None
    assert "ended the process" in trial.refusal.what


def test_a_trial_that_takes_too_long_is_ended(begun: list[VerifyProcess], shelf: Shelf) -> None:
    trial = begin(begun, shelf.first.read_bytes(), shelf)
    assert trial.is_done(TIMEOUT_S + 1.0)
    assert trial.refusal is not None
    assert "golden vectors" in trial.refusal.what


def test_a_bundle_that_answers_otherwise_here_is_refused(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def otherwise(bundle: Bundle) -> GoldenResult:
        return GoldenResult(ok=False, worst=1e-3, sentence=f"{bundle.manifest.name} differs at tick 7")

    monkeypatch.setattr(golden, "replay", otherwise)
    with pytest.raises(BundleRefused, match="differs at tick 7") as refused:
        verify_candidate(Candidate(shelf.first.read_bytes(), shelf.trust, NOW, Acceptance(state=shelf.trust)))
    assert refused.value.key == "golden"
