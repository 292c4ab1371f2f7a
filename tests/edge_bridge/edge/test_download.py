from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from edge_bridge.edge.download import Download
from edge_bridge.edge.node import Piece

if TYPE_CHECKING:
    from pathlib import Path

DATA = bytes(range(256)) * 100
SHA256 = hashlib.sha256(DATA).hexdigest()
PIECE = 4_000


def piece(offset: int, length: int = PIECE, data: bytes = DATA) -> Piece:
    return Piece(hashlib.sha256(data).hexdigest(), len(data), offset, data[offset : offset + length])


def test_pieces_in_order_make_the_bundle(tmp_path: Path) -> None:
    download = Download(tmp_path)
    for offset in range(0, len(DATA), PIECE):
        assert not download.is_complete
        download.append(piece(offset))
    assert download.is_complete
    assert download.read() == DATA


def test_a_piece_behind_a_hole_is_passed_over(tmp_path: Path) -> None:
    download = Download(tmp_path)
    download.append(piece(0))
    download.append(piece(2 * PIECE))
    assert download.received == PIECE


def test_a_piece_that_came_before_changes_nothing_and_one_that_overlaps_adds_its_end(tmp_path: Path) -> None:
    download = Download(tmp_path)
    download.append(piece(0))
    download.append(piece(0))
    download.append(piece(PIECE // 2))
    assert download.received == PIECE + PIECE // 2
    download.append(piece(PIECE, len(DATA)))
    assert download.read() == DATA


def test_what_has_come_is_kept_over_a_restart(tmp_path: Path) -> None:
    Download(tmp_path).append(piece(0))
    again = Download(tmp_path)
    assert (again.sha256, again.size, again.received) == (SHA256, len(DATA), PIECE)
    again.append(piece(PIECE, len(DATA)))
    assert again.read() == DATA


def test_another_bundle_begins_anew(tmp_path: Path) -> None:
    download = Download(tmp_path)
    download.append(piece(0))
    other = b"another" * 1_000
    download.append(piece(0, len(other), other))
    assert download.read() == other


def test_a_bundle_that_is_only_announced_has_received_nothing(tmp_path: Path) -> None:
    download = Download(tmp_path)
    download.append(Piece(SHA256, len(DATA), 0, b""))
    assert (download.sha256, download.received, download.is_complete) == (SHA256, 0, False)


def test_octets_that_are_not_those_of_the_hash_are_no_bundle(tmp_path: Path) -> None:
    download = Download(tmp_path)
    download.append(Piece(SHA256, len(DATA), 0, DATA[:-1] + b"?"))
    assert download.is_complete
    assert download.read() is None


def test_a_note_that_cannot_be_read_means_that_nothing_is_desired(tmp_path: Path) -> None:
    Download(tmp_path).append(piece(0))
    (tmp_path / "download.json").write_bytes(b'{"sha256": 3, "size": "much"}')
    assert Download(tmp_path).sha256 == ""


def test_more_octets_on_the_disk_than_the_bundle_has_are_cut_off(tmp_path: Path) -> None:
    download = Download(tmp_path)
    download.append(piece(0, len(DATA)))
    with (tmp_path / "download.part").open("ab") as file:
        file.write(b"torn")
    again = Download(tmp_path)
    assert again.received == len(DATA)
    assert again.read() == DATA
