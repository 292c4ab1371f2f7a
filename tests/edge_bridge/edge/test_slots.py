from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from drivers import state_file
from edge_bridge.edge.slots import SlotPointer, Slots

if TYPE_CHECKING:
    from pathlib import Path

AT = "2026-03-01T12:00:00Z"
ONE, TWO, THREE = (f"bundle {n}".encode() * 50 for n in (1, 2, 3))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def proven(folder: Path, data: bytes = ONE) -> Slots:
    slots = Slots(folder)
    slots.install(data, "hil24", 1, AT)
    slots.confirm()
    return slots


def test_new_slots_hold_nothing(tmp_path: Path) -> None:
    assert Slots(tmp_path).pointer == SlotPointer()


def test_what_is_installed_is_active_and_on_probation(tmp_path: Path) -> None:
    slots = Slots(tmp_path)
    installed = slots.install(ONE, "hil24", 1, AT)
    assert slots.pointer == SlotPointer(installed, None)
    assert slots.pointer.is_on_probation
    assert slots.read(installed) == ONE
    assert Slots(tmp_path).pointer == slots.pointer


def test_the_last_good_one_is_never_overwritten(tmp_path: Path) -> None:
    slots = proven(tmp_path)
    good = slots.pointer.good
    assert good is not None
    for data in (TWO, THREE):
        installed = slots.install(data, "hil24", 2, AT)
        assert installed.slot != good.slot
        assert slots.read(good) == ONE
        assert slots.read(installed) == data


def test_reverting_makes_the_last_good_one_active_and_remembers_what_failed(tmp_path: Path) -> None:
    slots = proven(tmp_path)
    slots.install(TWO, "hil24", 2, AT)
    good = slots.revert()
    assert good is not None
    assert good.sha256 == sha256(ONE)
    again = Slots(tmp_path)
    assert again.pointer == SlotPointer(good, good)
    assert again.read_failed_hashes() == (sha256(TWO),)


def test_boots_are_counted_only_on_probation(tmp_path: Path) -> None:
    slots = proven(tmp_path)
    assert slots.count_start() == 0
    slots.install(TWO, "hil24", 2, AT)
    assert [Slots(tmp_path).count_start() for _ in range(3)] == [2, 3, 4]
    slots.confirm()
    assert Slots(tmp_path).count_start() == 0


def test_boots_of_one_bundle_are_not_those_of_the_next(tmp_path: Path) -> None:
    slots = proven(tmp_path)
    slots.install(TWO, "hil24", 2, AT)
    slots.count_start()
    slots.install(THREE, "hil24", 3, AT)
    assert slots.count_start() == 2


def test_a_slot_whose_octets_have_changed_is_not_read(tmp_path: Path) -> None:
    slots = proven(tmp_path)
    good = slots.pointer.good
    assert good is not None
    path = tmp_path / f"slot_{good.slot}.bundle"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert slots.read(good) is None
    path.unlink()
    assert slots.read(good) is None


def test_a_cut_at_any_write_leaves_a_bundle_that_can_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The power fails at the n-th replacement of a file, for every n of an installation over one on probation."""
    real = state_file.write_bytes
    for last in range(6):
        folder = tmp_path / str(last)
        slots = proven(folder)
        slots.install(TWO, "hil24", 2, AT)
        left = iter(range(last))

        def cut(path: Path, octets: bytes, left: Any = left, **how: Any) -> None:
            if next(left, None) is None:
                raise KeyboardInterrupt  # nothing of ours may handle it
            real(path, octets, **how)

        monkeypatch.setattr("edge_bridge.edge.slots.write_bytes", cut)
        monkeypatch.setattr("drivers.state_file.write_bytes", cut)
        try:
            slots.install(THREE, "hil24", 3, AT)
        except KeyboardInterrupt:
            assert last < 4
        monkeypatch.undo()
        after = Slots(folder)
        assert after.pointer.active is not None
        assert after.pointer.good is not None
        assert after.read(after.pointer.active) in {ONE, TWO, THREE}
        assert after.read(after.pointer.good) == ONE


def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "note.json"
    state_file.write_state(path, {"n": 1})

    def full(place: int) -> None:
        del place
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        state_file.write_state(path, {"n": 2})
    assert json.loads(path.read_text()) == {"n": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["note.json"]
