from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from drivers.errors import PulseError
from edge_bridge.edge.download import Download
from edge_bridge.edge.installer import HEALTHY, INSTALLED, REFUSED, REVERTED
from edge_bridge.edge.node import Piece
from edge_bridge.edge.probation import STEADY_S
from edge_bridge.edge.update_flow import DESIRED, DOWNLOADED, VERIFIED, UpdateFlow
from edge_bridge.edge.verify_process import Candidate, verify_candidate
from tests.edge_bridge.edge.keeping import NOW, SICK, WELL, Bench, serial

if TYPE_CHECKING:
    from pathlib import Path

    from tests.edge_bridge.edge.conftest import Shelf

PIECE = 100_000


class TriedHere:
    """The same examination without a process of its own; `slow` ones are never done."""

    slow = False

    def __init__(self, candidate: Candidate, began_s: float) -> None:
        self.refusal: PulseError | None = None
        self.closed = False
        if self.slow:
            return
        try:
            verify_candidate(candidate)
        except PulseError as error:
            self.refusal = error

    def is_done(self, now_s: float) -> bool:
        return not self.slow

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def tried_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_bridge.edge.update_flow.VerifyProcess", TriedHere)


@pytest.fixture
def bench(tmp_path: Path, trust: Path, shelf: Shelf) -> Bench:
    made = Bench(tmp_path, trust)
    made.proven(shelf.first)
    return made


def offered(bench: Bench) -> UpdateFlow:
    return UpdateFlow(Download(bench.folder), bench.keeper, log=bench.said.append)


def pieces(data: bytes) -> list[Piece]:
    sha256 = hashlib.sha256(data).hexdigest()
    return [Piece(sha256, len(data), offset, data[offset : offset + PIECE]) for offset in range(0, len(data), PIECE)]


def send(offer: UpdateFlow, data: bytes) -> None:
    for piece in pieces(data):
        offer.add_piece(piece)


def followed(offer: UpdateFlow, bench: Bench, turns: int = 6) -> list[str]:
    """States from now on, one a turn."""
    states = [bench.keeper.status.state]
    for turn in range(turns):
        offer.poll(NOW, 100.0 + turn)
        states.append(bench.keeper.status.state)
    return list(dict.fromkeys(states))


def test_a_bundle_goes_from_desired_to_healthy(bench: Bench, shelf: Shelf) -> None:
    offer = offered(bench)
    send(offer, shelf.second.read_bytes())
    assert followed(offer, bench) == [DESIRED, DOWNLOADED, VERIFIED, INSTALLED]
    assert serial(bench.keeper) == 2
    bench.keeper.update(106.0, WELL)
    bench.keeper.update(106.0 + STEADY_S, WELL)
    assert bench.keeper.status.state == HEALTHY


def test_a_bundle_that_does_not_prove_healthy_is_reverted_with_its_reason(bench: Bench, shelf: Shelf) -> None:
    offer = offered(bench)
    send(offer, shelf.second.read_bytes())
    followed(offer, bench)
    bench.keeper.update(106.0, SICK)
    assert (bench.keeper.status.state, serial(bench.keeper)) == (REVERTED, 1)
    assert bench.keeper.status.sha256 == hashlib.sha256(shelf.second.read_bytes()).hexdigest()


@pytest.mark.parametrize("what", ["foreign", "flipped", "garbage", "older"])
def test_a_bundle_that_may_not_run_is_refused_with_its_reason_and_the_old_one_goes_on(
    bench: Bench, shelf: Shelf, what: str
) -> None:
    if what == "older":
        bench.proven(shelf.second, 50.0)
    before = serial(bench.keeper)
    whole = bytearray(shelf.third.read_bytes())
    whole[len(whole) // 3] ^= 4
    data = {
        "foreign": shelf.foreign.read_bytes(),
        "flipped": bytes(whole),
        "garbage": b"PK\x03\x04 not at all",
        "older": shelf.first.read_bytes(),
    }[what]
    offer = offered(bench)
    send(offer, data)
    assert followed(offer, bench) == [DESIRED, DOWNLOADED, REFUSED]
    assert bench.keeper.status.reason
    assert serial(bench.keeper) == before
    assert offer.received is None


def test_octets_that_are_not_those_of_the_hash_are_refused(bench: Bench, shelf: Shelf) -> None:
    offer = offered(bench)
    data = shelf.second.read_bytes()
    for piece in pieces(data):
        offer.add_piece(Piece(piece.sha256, piece.size, piece.offset, bytes(len(piece.chunk))))
    assert followed(offer, bench) == [DESIRED, REFUSED]
    assert "hash" in bench.keeper.status.reason


def test_a_second_bundle_that_is_desired_replaces_the_first(bench: Bench, shelf: Shelf) -> None:
    offer = offered(bench)
    for piece in pieces(shelf.second.read_bytes())[:2]:
        offer.add_piece(piece)
    send(offer, shelf.third.read_bytes())
    followed(offer, bench)
    assert serial(bench.keeper) == 3


def test_a_second_bundle_ends_the_trial_of_the_first(
    bench: Bench, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer = offered(bench)
    monkeypatch.setattr(TriedHere, "slow", True)
    send(offer, shelf.second.read_bytes())
    offer.poll(NOW, 100.0)
    trial = offer._verification  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(TriedHere, "slow", False)
    send(offer, shelf.third.read_bytes())
    assert isinstance(trial, TriedHere)
    assert trial.closed
    followed(offer, bench)
    assert serial(bench.keeper) == 3


def test_a_bundle_waits_until_the_one_before_has_proven_itself(bench: Bench, shelf: Shelf) -> None:
    offer = offered(bench)
    send(offer, shelf.second.read_bytes())
    followed(offer, bench)
    send(offer, shelf.third.read_bytes())
    followed(offer, bench)
    assert (serial(bench.keeper), bench.keeper.status.state) == (2, VERIFIED)
    bench.keeper.update(106.0, WELL)
    bench.keeper.update(106.0 + STEADY_S, WELL)
    followed(offer, bench)
    assert serial(bench.keeper) == 3


def test_a_late_piece_of_a_bundle_that_is_over_changes_nothing(bench: Bench, shelf: Shelf) -> None:
    offer = offered(bench)
    send(offer, shelf.foreign.read_bytes())
    followed(offer, bench)
    told = bench.keeper.status
    offer.add_piece(pieces(shelf.foreign.read_bytes())[-1])
    assert bench.keeper.status == told
    assert offer.received is None


def test_a_bundle_that_was_refused_may_be_sent_again_from_its_start(bench: Bench, shelf: Shelf) -> None:
    offer = offered(bench)
    send(offer, shelf.foreign.read_bytes())
    followed(offer, bench)
    offer.add_piece(pieces(shelf.foreign.read_bytes())[0])
    assert bench.keeper.status.state == DESIRED


def test_the_bundle_that_runs_already_is_healthy_at_once(bench: Bench, shelf: Shelf) -> None:
    offer = offered(bench)
    send(offer, shelf.foreign.read_bytes())
    followed(offer, bench)
    offer.add_piece(pieces(shelf.first.read_bytes())[0])
    assert (bench.keeper.status.state, offer.received) == (HEALTHY, None)


def test_a_download_goes_on_after_a_restart(bench: Bench, shelf: Shelf) -> None:
    first, *rest = pieces(shelf.second.read_bytes())
    offered(bench).add_piece(first)
    bench.restarted().resume(0.0)
    offer = offered(bench)
    assert (bench.keeper.status.state, offer.received) == (DESIRED, PIECE)
    for piece in rest:
        offer.add_piece(piece)
    followed(offer, bench)
    assert serial(bench.keeper) == 2


def test_a_disk_that_takes_no_piece_refuses_the_bundle(
    bench: Bench, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer = offered(bench)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Download, "append", full)
    offer.add_piece(pieces(shelf.second.read_bytes())[0])
    assert (bench.keeper.status.state, bench.keeper.status.reason) == (
        REFUSED,
        "cannot be written: No space left on device",
    )
