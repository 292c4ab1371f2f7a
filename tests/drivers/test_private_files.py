"""Runs, journals, state and shared memory are for their owner alone, whatever the umask."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.event import Event, EventRecord, Level
from drivers.private_files import make_private_folder, open_private, open_private_unbuffered
from drivers.ring_files import create
from drivers.runlog.index import RunIndex
from drivers.runlog.recorder import Recorder
from drivers.snapshot import Channel, ChannelTable
from drivers.state_file import write_state
from edge_bridge.edge.outbox import Outbox
from edge_bridge.fleet.store.sqlite_store import SqliteStore
from fixtures.journal import Journal
from fixtures.wiring import AnalogWiring
from workbench.run_folders import make_stamped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def everything_open() -> Iterator[None]:
    """The most generous umask."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> set[int]:
    """The modes of a folder and of all files in it."""
    return {stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}


def test_a_run_and_its_index_are_its_owners(tmp_path: Path) -> None:
    table = ChannelTable((Channel("a", "V"),))
    with Recorder.create(tmp_path / "runs" / "one", table, {}, 1) as recorder:
        recorder.put(1.0, np.zeros(1), np.zeros(1), np.zeros(1, np.uint8))
        recorder.event(EventRecord(0, 1.0, 1.8e9, Event(Level.INFO, "test", "x")))
        assert modes(tmp_path / "runs" / "one") == {0o700, 0o600}
    assert modes(tmp_path / "runs" / "one") == {0o700, 0o600}
    assert len(RunIndex(tmp_path / "runs").rows()) == 1
    (index,) = [path for path in (tmp_path / "runs").iterdir() if path.is_file()]
    assert stat.S_IMODE(index.stat().st_mode) == 0o600


def test_a_stamped_folder_is_its_owners(tmp_path: Path) -> None:
    assert modes(make_stamped(tmp_path / "certificates", "bms")) == {0o700}


def test_state_is_its_owners(tmp_path: Path) -> None:
    write_state(tmp_path / "state" / "trip.json", {"reason": "x"})
    assert modes(tmp_path / "state") == {0o700, 0o600}


def test_the_outbox_and_the_fleets_database_are_their_owners(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "state" / "outbox.sqlite", "boot")
    fleet = SqliteStore(tmp_path / "fleet.sqlite")
    try:
        assert modes(tmp_path / "state") == {0o700, 0o600}
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("fleet.sqlite*")} == {0o600}
    finally:
        outbox.close()
        fleet.close()


def test_what_the_emulated_bench_shares_is_its_owners(tmp_path: Path) -> None:
    make_private_folder(tmp_path / "emulated")
    AnalogWiring.create(tmp_path / "emulated" / "loom")
    Journal(tmp_path / "emulated" / "supply.jsonl").close()
    assert modes(tmp_path / "emulated") == {0o700, 0o600}


def test_a_ring_is_its_owners(tmp_path: Path) -> None:
    create(tmp_path / "ring").close()
    assert stat.S_IMODE((tmp_path / "ring").stat().st_mode) == 0o600


def test_an_existing_folder_keeps_its_mode_and_its_parents_are_usual(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(0o755)
    make_private_folder(tmp_path / "shared")
    assert modes(tmp_path / "shared") == {0o755}
    make_private_folder(tmp_path / "a" / "b")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o777
    with pytest.raises(FileExistsError):
        make_private_folder(tmp_path / "a" / "b", exist_ok=False)


def test_a_file_that_exists_is_opened_as_it_is(tmp_path: Path) -> None:
    with open_private(tmp_path / "x", "wb") as file:
        file.write(b"one")
    with open_private_unbuffered(tmp_path / "x", "ab") as file:
        file.write(b"two")
    assert (tmp_path / "x").read_bytes() == b"onetwo"
    with pytest.raises(FileExistsError):
        open_private(tmp_path / "x", "xb")
