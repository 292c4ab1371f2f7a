from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from drivers.errors import Usage
from edge_bridge.fleet.push import AGAIN_S, AHEAD, CHUNK, LARGEST, STALE_S, Push, read_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.fleet.columns import Scalar
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
        assert len(chunk) <= CHUNK
        assert (piece["Bundle/Desired"], piece["Bundle/Size"]) == (SHA256, len(DATA))
        if offset == len(self.held):
            self.held += chunk


def test_a_bundle_arrives_whole_and_is_followed_to_its_end() -> None:
    push, node, now_s = Push("pack-1", DATA, {}, 0.0), Receiver(), 0.0
    while len(node.held) < len(DATA):
        for piece in push.due(now_s):
            node.take(piece)
        push.hear(said(len(node.held)), now_s)
        now_s += 0.1
        assert now_s < AGAIN_S, "no piece had to be sent twice"
    assert node.held == DATA
    for state in ("downloaded", "verified", "installed"):
        push.hear(said(len(DATA), state), now_s)
        assert (push.progress.state, push.progress.over) == (state, False)
        assert push.due(now_s + 100.0) == []
    push.hear(said(len(DATA), "healthy"), now_s)
    assert (push.progress.over, push.progress.ok, push.progress.received) == (True, True, len(DATA))


def test_only_a_few_pieces_are_on_their_way_at_once() -> None:
    push = Push("pack-1", DATA, {}, 0.0)
    assert len(push.due(0.0)) == AHEAD
    assert push.due(0.1) == []
    push.hear(said(CHUNK), 0.2)
    assert [piece["Bundle/Offset"] for piece in push.due(0.3)] == [AHEAD * CHUNK]


def test_a_piece_that_was_lost_is_sent_again_from_where_the_node_stands() -> None:
    push, node = Push("pack-1", DATA, {}, 0.0), Receiver()
    first, lost, *rest = push.due(0.0)
    del lost
    for piece in (first, *rest):
        node.take(piece)
    push.hear(said(len(node.held)), 0.1)
    for piece in push.due(0.2):  # pieces further on, which the node cannot use
        node.take(piece)
    assert len(node.held) == CHUNK
    again = push.due(0.1 + AGAIN_S)
    assert [piece["Bundle/Offset"] for piece in again] == [place * CHUNK for place in range(1, 1 + AHEAD)]


def test_a_node_that_lost_what_it_held_gets_it_again() -> None:
    push, node = Push("pack-1", DATA, {}, 0.0), Receiver()
    for piece in push.due(0.0):
        node.take(piece)
    push.hear(said(len(node.held)), 0.1)
    push.hear(said(0), 0.2)
    assert push.due(0.3)[0]["Bundle/Offset"] == 0


def test_a_fleet_that_was_gone_goes_on_from_where_the_node_stands() -> None:
    push = Push("pack-1", DATA, said(5 * CHUNK), 0.0)
    push.hear(said(5 * CHUNK), 0.0)
    assert push.due(0.1)[0]["Bundle/Offset"] == 5 * CHUNK


@pytest.mark.parametrize("state", ["refused", "reverted"])
def test_a_bad_end_is_told_with_its_reason(state: str) -> None:
    push = Push("pack-1", DATA, {}, 0.0)
    push.due(0.0)
    push.hear(said(0, state, "an older serial"), 1.0)
    assert (push.progress.over, push.progress.ok, push.progress.reason) == (True, False, "an older serial")
    assert push.due(10.0) == []


def test_how_an_earlier_attempt_ended_is_not_taken_for_this_one() -> None:
    before = said(0, "refused", "the key was not there")
    push = Push("pack-1", DATA, before, 0.0)
    assert push.due(0.0)
    push.hear(before, 0.1)
    assert push.progress.state == "waiting"
    push.hear(said(CHUNK), 0.2)
    push.hear(said(len(DATA), "healthy"), 0.3)
    assert push.progress.ok


def test_an_end_that_stays_the_same_is_believed_after_a_while() -> None:
    before = said(0, "refused", "the key was not there")
    push = Push("pack-1", DATA, before, 0.0)
    push.due(0.0)
    push.hear(before, STALE_S - 0.1)
    assert not push.progress.over
    push.hear(before, STALE_S)
    assert (push.progress.state, push.progress.reason) == ("refused", "the key was not there")


def test_a_bundle_that_runs_already_need_not_be_sent() -> None:
    push = Push("pack-1", DATA, {}, 0.0)
    push.hear({"Bundle/Sha256": SHA256, "Bundle/Desired": None}, 0.0)
    assert push.progress.ok
    assert push.due(0.0) == []


def test_a_node_that_forgot_what_it_was_sent_is_sent_it_again() -> None:
    push = Push("pack-1", DATA, {}, 0.0)
    push.due(0.0)
    push.hear(said(3 * CHUNK), 0.1)
    push.hear({"Bundle/Desired": None, "Bundle/Sha256": "00" * 32}, 0.2)
    assert not push.progress.over
    assert push.due(0.3)[0]["Bundle/Offset"] == 0


def test_another_bundle_replaces_this_one() -> None:
    push = Push("pack-1", DATA, {}, 0.0)
    push.hear(said(CHUNK), 0.1)
    push.hear(said(0, sha256="cd" * 32), 0.2)
    assert (push.progress.state, push.progress.ok) == ("replaced", False)


@pytest.mark.parametrize("received", [-1, len(DATA) + 1, "much", None, 1.5])
def test_a_node_that_says_nonsense_is_not_believed(received: Scalar) -> None:
    push = Push("pack-1", DATA, {}, 0.0)
    push.hear(said(CHUNK), 0.0)
    push.hear(said(0) | {"Bundle/Received": received}, 0.1)
    assert push.progress.received == CHUNK


def test_a_file_that_cannot_be_sent_is_refused(tmp_path: Path) -> None:
    empty, large = tmp_path / "empty", tmp_path / "large"
    empty.touch()
    with large.open("wb") as file:
        file.truncate(LARGEST + 1)
    for path, words in ((empty, "has 0 octets"), (large, "16777217 octets"), (tmp_path / "nowhere", "cannot be read")):
        with pytest.raises(Usage, match=words):
            read_bundle(path)
    with pytest.raises(Usage, match="cannot be read"):
        read_bundle(tmp_path)
