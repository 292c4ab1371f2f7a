from __future__ import annotations

import hashlib
import itertools
from typing import TYPE_CHECKING

import pytest

from drivers.errors import Usage
from edge_bridge.fleet.bundle_transfer import (
    CHUNK_BYTES,
    MAX_BYTES,
    MAX_IN_FLIGHT,
    MAX_RESEND_S,
    RESEND_S,
    STALE_S,
    BundleTransfer,
    read_bundle,
)

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.metrics import Scalar
    from edge_bridge.sparkplug.payload import Value

DATA = bytes(range(256)) * 640 + b"the end"  # ten pieces and a bit
SHA256 = hashlib.sha256(DATA).hexdigest()


def said(received: int, state: str = "desired", reason: str = "", sha256: str = SHA256) -> dict[str, Scalar]:
    return {"Bundle/Desired": sha256, "Bundle/Received": received, "Bundle/State": state, "Bundle/Reason": reason}


class Receiver:
    """A node that keeps what goes on where it stands."""

    def __init__(self) -> None:
        self.held = b""

    def take(self, piece: dict[str, Value]) -> None:
        offset, chunk = piece["Bundle/Offset"], piece["Bundle/Chunk"]
        assert isinstance(chunk, bytes)
        assert len(chunk) <= CHUNK_BYTES
        assert (piece["Bundle/Desired"], piece["Bundle/Size"]) == (SHA256, len(DATA))
        if offset == len(self.held):
            self.held += chunk


def test_a_bundle_arrives_whole_and_is_followed_to_its_end() -> None:
    push, node, now_s = BundleTransfer("pack-1", DATA, {}, 0.0), Receiver(), 0.0
    while len(node.held) < len(DATA):
        for piece in push.due_pieces(now_s):
            node.take(piece)
        push.update(said(len(node.held)), now_s)
        now_s += 0.1
        assert now_s < RESEND_S, "no piece had to be sent twice"
    assert node.held == DATA
    for state in ("downloaded", "verified", "installed"):
        push.update(said(len(DATA), state), now_s)
        assert (push.progress.state, push.progress.is_over) == (state, False)
        assert push.due_pieces(now_s + 100.0) == []
    push.update(said(len(DATA), "healthy"), now_s)
    assert (push.progress.is_over, push.progress.is_ok, push.progress.received) == (True, True, len(DATA))


def test_only_a_few_pieces_are_on_their_way_at_once() -> None:
    push = BundleTransfer("pack-1", DATA, {}, 0.0)
    assert len(push.due_pieces(0.0)) == MAX_IN_FLIGHT
    assert push.due_pieces(0.1) == []
    push.update(said(CHUNK_BYTES), 0.2)
    assert [piece["Bundle/Offset"] for piece in push.due_pieces(0.3)] == [MAX_IN_FLIGHT * CHUNK_BYTES]


def test_a_piece_that_was_lost_is_sent_again_from_where_the_node_stands() -> None:
    push, node = BundleTransfer("pack-1", DATA, {}, 0.0), Receiver()
    first, lost, *rest = push.due_pieces(0.0)
    del lost
    for piece in (first, *rest):
        node.take(piece)
    push.update(said(len(node.held)), 0.1)
    for piece in push.due_pieces(0.2):  # pieces further on, which the node cannot use
        node.take(piece)
    assert len(node.held) == CHUNK_BYTES
    again = push.due_pieces(0.1 + RESEND_S)
    assert [piece["Bundle/Offset"] for piece in again] == [place * CHUNK_BYTES for place in range(1, 1 + MAX_IN_FLIGHT)]


def test_a_node_that_lost_what_it_held_gets_it_again() -> None:
    push, node = BundleTransfer("pack-1", DATA, {}, 0.0), Receiver()
    for piece in push.due_pieces(0.0):
        node.take(piece)
    push.update(said(len(node.held)), 0.1)
    push.update(said(0), 0.2)
    assert push.due_pieces(0.3)[0]["Bundle/Offset"] == 0


def test_a_fleet_that_was_gone_goes_on_from_where_the_node_stands() -> None:
    push = BundleTransfer("pack-1", DATA, said(5 * CHUNK_BYTES), 0.0)
    push.update(said(5 * CHUNK_BYTES), 0.0)
    assert push.due_pieces(0.1)[0]["Bundle/Offset"] == 5 * CHUNK_BYTES


@pytest.mark.parametrize("state", ["refused", "reverted"])
def test_a_bad_end_is_told_with_its_reason(state: str) -> None:
    push = BundleTransfer("pack-1", DATA, {}, 0.0)
    push.due_pieces(0.0)
    push.update(said(0, state, "an older serial"), 1.0)
    assert (push.progress.is_over, push.progress.is_ok, push.progress.reason) == (True, False, "an older serial")
    assert push.due_pieces(10.0) == []


def test_how_an_earlier_attempt_ended_is_not_taken_for_this_one() -> None:
    before = said(0, "refused", "the key was not there")
    push = BundleTransfer("pack-1", DATA, before, 0.0)
    assert push.due_pieces(0.0)
    push.update(before, 0.1)
    assert push.progress.state == "waiting"
    push.update(said(CHUNK_BYTES), 0.2)
    push.update(said(len(DATA), "healthy"), 0.3)
    assert push.progress.is_ok


def test_an_end_that_stays_the_same_is_believed_after_a_while() -> None:
    before = said(0, "refused", "the key was not there")
    push = BundleTransfer("pack-1", DATA, before, 0.0)
    push.due_pieces(0.0)
    push.update(before, STALE_S - 0.1)
    assert not push.progress.is_over
    push.update(before, STALE_S)
    assert (push.progress.state, push.progress.reason) == ("refused", "the key was not there")


def test_a_bundle_that_runs_already_need_not_be_sent() -> None:
    push = BundleTransfer("pack-1", DATA, {}, 0.0)
    push.update({"Bundle/Sha256": SHA256, "Bundle/Desired": None}, 0.0)
    assert push.progress.is_ok
    assert push.due_pieces(0.0) == []


def test_a_node_that_forgot_what_it_was_sent_is_sent_it_again() -> None:
    push = BundleTransfer("pack-1", DATA, {}, 0.0)
    push.due_pieces(0.0)
    push.update(said(3 * CHUNK_BYTES), 0.1)
    push.update({"Bundle/Desired": None, "Bundle/Sha256": "00" * 32}, 0.2)
    assert not push.progress.is_over
    assert push.due_pieces(0.3)[0]["Bundle/Offset"] == 0


def test_another_bundle_replaces_this_one() -> None:
    push = BundleTransfer("pack-1", DATA, {}, 0.0)
    push.update(said(CHUNK_BYTES), 0.1)
    push.update(said(0, sha256="cd" * 32), 0.2)
    assert (push.progress.state, push.progress.is_ok) == ("replaced", False)


@pytest.mark.parametrize("received", [-1, len(DATA) + 1, "much", None, 1.5])
def test_a_node_that_says_nonsense_is_not_believed(received: Scalar) -> None:
    push = BundleTransfer("pack-1", DATA, {}, 0.0)
    push.update(said(CHUNK_BYTES), 0.0)
    push.update(said(0) | {"Bundle/Received": received}, 0.1)
    assert push.progress.received == CHUNK_BYTES


def test_a_file_that_cannot_be_sent_is_refused(tmp_path: Path) -> None:
    empty, large = tmp_path / "empty", tmp_path / "large"
    empty.touch()
    with large.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    for path, words in ((empty, "has 0 bytes"), (large, "16777217 bytes"), (tmp_path / "nowhere", "cannot be read")):
        with pytest.raises(Usage, match=words):
            read_bundle(path)
    with pytest.raises(Usage, match="cannot be read"):
        read_bundle(tmp_path)


def test_a_node_that_does_not_answer_gets_pieces_ever_less_often_and_at_once_when_it_is_back() -> None:
    push, sent_s = BundleTransfer("pack-1", DATA, {}, 0.0), list[float]()
    for tenths in range(3_000):
        if push.due_pieces(tenths / 10):
            sent_s.append(tenths / 10)
    waits = [later - earlier for earlier, later in itertools.pairwise(sent_s)]
    assert waits == pytest.approx([RESEND_S * 2**n for n in range(5)] + [MAX_RESEND_S] * (len(waits) - 5), abs=0.11)
    assert len(waits) > 6
    push.pause()
    assert push.due_pieces(300.0)
    push.update(said(CHUNK_BYTES), 300.1)  # an answer: from now on again soon
    assert push.due_pieces(300.2 + RESEND_S)
