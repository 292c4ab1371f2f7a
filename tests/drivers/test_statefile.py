from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from drivers import state_file
from drivers.state_file import (
    DamagedFile,
    MissingFile,
    read_state,
    read_text,
    read_whole,
    remove,
    write_bytes,
    write_state,
)
from tests.drivers.damages import DAMAGES, damage

if TYPE_CHECKING:
    from pathlib import Path


def reason(fields: dict[str, Any]) -> str:
    return read_text(fields, "reason")


def test_a_file_that_was_never_written_is_missing(tmp_path: Path) -> None:
    assert read_state(tmp_path / "trip.json", reason) == MissingFile()
    assert read_state(tmp_path / "no folder" / "trip.json", reason) == MissingFile()


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "trip.json"
    write_state(path, {"reason": "cell_07/voltage 4.31 V above 4.25 V"})
    assert read_state(path, reason) == "cell_07/voltage 4.31 V above 4.25 V"
    assert [entry.name for entry in path.parent.iterdir()] == ["trip.json"]


@pytest.mark.parametrize("how", DAMAGES)
def test_whatever_lies_in_its_place_is_damaged_and_says_the_file_and_why(tmp_path: Path, how: str) -> None:
    path = tmp_path / "trip.json"
    damage(path, how)
    found = read_state(path, reason)
    assert isinstance(found, DamagedFile)
    assert found.sentence.startswith("trip.json cannot be read: ")
    assert found.sentence.removeprefix("trip.json cannot be read: ").strip()


@pytest.mark.parametrize("cut", range(len(b'{"reason": "cell_07"}')))
def test_no_cut_of_a_file_reads_as_the_whole_or_as_missing(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "trip.json"
    path.write_bytes(b'{"reason": "cell_07"}'[:cut])
    assert isinstance(read_state(path, reason), DamagedFile)


@pytest.mark.parametrize("value", ["", "  ", None, 7, ["x"]])
def test_a_text_is_a_text_with_something_in_it(tmp_path: Path, value: object) -> None:
    path = tmp_path / "trip.json"
    path.write_text(json.dumps({"reason": value}))
    assert isinstance(read_state(path, reason), DamagedFile)


@pytest.mark.parametrize("value", [True, 1.0, "1", None, -1])
def test_a_whole_number_is_one_that_is_large_enough(tmp_path: Path, value: object) -> None:
    path = tmp_path / "bd_seq.json"
    path.write_text(json.dumps({"bdSeq": value}))
    assert isinstance(read_state(path, lambda fields: read_whole(fields, "bdSeq")), DamagedFile)


def test_a_file_that_may_not_be_read_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "trip.json"
    write_state(path, {"reason": "x"})

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("drivers.regular_file.os.open", denied)
    assert read_state(path, reason) == DamagedFile("trip.json cannot be read: Permission denied")


def test_what_cannot_be_written_as_json_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "trip.json"
    write_state(path, {"reason": "x"})
    with pytest.raises(ValueError, match="JSON"):
        write_state(path, {"reason": float("nan")})
    assert read_state(path, reason) == "x"


@pytest.mark.parametrize("durable", [True, False])
def test_a_second_write_replaces_the_whole_file_and_leaves_no_draft(tmp_path: Path, *, durable: bool) -> None:
    path = tmp_path / "model.json"
    write_bytes(path, b"first" * 1000, durable=durable)
    write_bytes(path, b"second", durable=durable)
    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("durable", [True, False])
def test_a_write_that_fails_leaves_the_old_file_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, durable: bool
) -> None:
    path = tmp_path / "model.json"
    write_bytes(path, b"whole", durable=durable)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(OSError, match="No space"):
        write_bytes(path, b"other", durable=durable)
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("how", DAMAGES)
def test_whatever_lies_there_can_be_removed(tmp_path: Path, how: str) -> None:
    path = tmp_path / "trip.json"
    damage(path, how)
    remove(path)
    assert read_state(path, reason) == MissingFile()
    remove(path)


def test_what_is_put_aside_keeps_what_was_put_aside_before(tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        (tmp_path / "pointer.json").write_bytes(content)
        state_file.put_aside(tmp_path / "pointer.json")
    assert (tmp_path / "pointer.json.broken-1").read_bytes() == b"one"
    assert (tmp_path / "pointer.json.broken-2").read_bytes() == b"two"
