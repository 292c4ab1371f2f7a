"""The list of devices: who waits for a renewal, what is made anew by it, and what a dead database does."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

import pytest

from drivers.errors import StoreFailed
from edge_bridge.fleet.api import device_directory
from edge_bridge.fleet.api.device_directory import DeviceDirectory
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator

    from edge_bridge.fleet.store.fleet_reader import FleetReader

_Note = tuple[tuple[Any, ...], tuple[int, int, int]]


class Notes:
    """What a database would return; a question is answered once `is_open` is set."""

    def __init__(self, *names: str) -> None:
        self.found: dict[str, _Note] = {}
        self.is_open, self.asked = threading.Event(), 0
        self.is_open.set()
        self.failure: StoreFailed | None = None
        for name in names:
            self.put(name)

    def put(self, name: str, verdict: str = "allowed") -> None:
        self.found[name] = (name, True, 1, f'{{"Gate/Verdict": "{verdict}"}}', "pulsebms"), (5, 4, 1)

    def read_devices(self, after: str, limit: int) -> list[_Note]:
        self.asked += 1
        self.is_open.wait()
        if self.failure is not None:
            raise self.failure
        return [self.found[name] for name in sorted(self.found) if name > after][:limit]


@pytest.fixture
def notes() -> Notes:
    return Notes("pack-1", "pack-2", "pack-3")


@pytest.fixture
def directory(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> Generator[DeviceDirectory]:
    monkeypatch.setattr(device_directory, "FRESH_S", -1.0)
    monkeypatch.setattr(device_directory, "OLD_S", 3_600.0)
    monkeypatch.setattr(device_directory, "SLICE", 2)
    with closing(DeviceDirectory(cast("FleetReader", notes))) as made:
        yield made
        notes.is_open.set()


def test_the_first_list_is_complete(directory: DeviceDirectory) -> None:
    listed = directory.read()
    assert list(listed.devices) == ["pack-1", "pack-2", "pack-3"]
    assert listed.counts == {"tripped": 0, "offline": 0, "held": 0, "online": 3}
    assert (listed.devices["pack-2"].missing, listed.devices["pack-2"].group) == (0, "pulsebms")


def test_nobody_waits_for_the_end_of_a_renewal(directory: DeviceDirectory, notes: Notes) -> None:
    before = directory.read()
    notes.put("pack-2", "tripped")
    notes.is_open.clear()
    assert directory.read() is before, "the database does not answer, and the list of before is good enough"
    asked = notes.asked
    assert directory.read() is before
    assert notes.asked == asked, "one renewal at a time"
    notes.is_open.set()
    directory.close()
    wait_until(lambda: directory.read().devices["pack-2"].state == "tripped", what="the new list")


def test_what_did_not_change_is_not_made_anew(
    directory: DeviceDirectory, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_directory, "WAIT_S", 60.0)
    before = directory.read().devices
    notes.put("pack-2", "held")
    del notes.found["pack-3"]
    after = directory.read().devices
    assert after["pack-1"] is before["pack-1"]
    assert (before["pack-2"].state, after["pack-2"].state) == ("online", "held")
    assert "pack-3" not in after


def test_a_database_that_fails_is_told_and_the_next_reader_asks_again(
    directory: DeviceDirectory, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_directory, "WAIT_S", 60.0)
    notes.failure = StoreFailed("the database is gone", where="db", key="db", value="", hint="")
    with pytest.raises(StoreFailed):
        directory.read()
    notes.failure = None
    assert len(directory.read().devices) == 3
