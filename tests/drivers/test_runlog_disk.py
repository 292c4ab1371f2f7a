"""Recording on a disk that fills up, tears a write, or loses its power: what is kept, what is counted, what is said."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from drivers.errors import RunLogError
from drivers.event import Level
from drivers.runlog.append_file import AppendFile
from drivers.runlog.folder import COUNT, STREAM
from drivers.runlog.recorder import FLUSH_S, SYNC_S, WAITING_ROWS, Recorder
from drivers.runlog.run import Run
from tests.drivers.runs import MEASURED, META, TABLE, assert_holds, eventually, recorded, tick

if TYPE_CHECKING:
    from pathlib import Path


class FullDisk:
    """Stands in for a file: takes `room` bytes, then only half a piece before it says that there is no space."""

    def __init__(self, path: Path, room: int) -> None:
        self._file = path.open("r+b", buffering=0)
        self._file.seek(0, os.SEEK_END)
        self.room = room

    def write(self, data: memoryview) -> int:
        if self.room <= 0:
            raise OSError(28, "No space left on device")
        taken = self._file.write(data[: self.room])
        self.room -= taken
        return taken

    def seek(self, at: int) -> int:
        return self._file.seek(at)

    def truncate(self) -> int:
        return self._file.truncate()

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()


@pytest.fixture
def filling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Recorder, FullDisk]:
    """A recorder on a disk that becomes full in the middle of a message, after ten ticks."""
    made: list[AppendFile] = []

    class Known(AppendFile):
        def __init__(self, path: Path) -> None:
            super().__init__(path)
            made.append(self)

    monkeypatch.setattr("drivers.runlog.recorder.AppendFile", Known)
    recorder = recorded(tmp_path / "run", 10, close=False)
    eventually(lambda: recorder.written == 10)
    ticks = made[0]
    ticks.raw.close()
    ticks.raw = disk = FullDisk(ticks.path, 100)
    recorder.put(*tick(10))
    eventually(lambda: recorder.trouble)
    return recorder, disk


def test_a_full_disk_is_said_and_recording_goes_on_when_there_is_room(
    tmp_path: Path, filling: tuple[Recorder, FullDisk]
) -> None:
    recorder, disk = filling
    assert "ticks.arrows cannot be written: No space left on device; 1 rows wait" in recorder.trouble
    ((first,), again) = recorder.news(), recorder.news()
    assert (first.level, first.text, again) == (Level.ALARM, recorder.trouble, [])
    for number in range(11, 40):
        recorder.put(*tick(number))
    disk.room = 10**9
    eventually(lambda: not recorder.trouble)
    assert [event.level for event in recorder.news()] == [Level.WARNING]
    recorder.close()
    with Run.open(tmp_path / "run") as run:
        assert_holds(run, 40)
        assert run.about.lost == 0


def test_rows_that_find_no_room_are_counted_and_never_raise(tmp_path: Path, filling: tuple[Recorder, FullDisk]) -> None:
    recorder, disk = filling
    for number in range(11, 11 + WAITING_ROWS + 25):
        recorder.put(*tick(number))
    assert recorder.lost == 25
    disk.room = 10**9
    recorder.close()
    with Run.open(tmp_path / "run") as run:
        assert (run.count, run.about.lost) == (11 + WAITING_ROWS, 25)


def test_a_disk_still_full_at_the_end_keeps_what_it_took(tmp_path: Path, filling: tuple[Recorder, FullDisk]) -> None:
    recorder, _ = filling
    with pytest.raises(RunLogError, match="lacks its last 1 rows: No space left on device"):
        recorder.close()
    with Run.open(tmp_path / "run") as run:
        assert_holds(run, 10)
        assert run.about.lost == 1


def record_under_a_size_limit(folder: Path) -> None:
    """The system itself refuses to let the file grow, in the middle of a write."""
    import resource  # noqa: PLC0415  # absent on Windows

    recorder = Recorder.create(folder, TABLE, META, MEASURED)
    recorder.put(*tick(0))
    eventually(lambda: recorder.written == 1)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((folder / STREAM).stat().st_size + 200, resource.RLIM_INFINITY))
    for number in range(1, 50):
        recorder.put(*tick(number))
    eventually(lambda: recorder.trouble)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    eventually(lambda: not recorder.trouble)
    recorder.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file size limit per process")
def test_a_write_that_the_system_cuts_short_is_taken_back_and_repeated(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=record_under_a_size_limit, args=(tmp_path / "run",))
    process.start()
    process.join(40)
    assert process.exitcode == 0
    with Run.open(tmp_path / "run") as run:
        assert_holds(run, 50)


def test_a_killed_run_counts_the_rows_that_never_reached_the_disk(
    tmp_path: Path, filling: tuple[Recorder, FullDisk], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder, disk = filling
    for number in range(11, 30):
        recorder.put(*tick(number))
    copy = shutil.copytree(recorder.folder, tmp_path / "killed")  # what a killed process leaves

    def is_killed(_about: object) -> bool:
        return False

    monkeypatch.setattr("drivers.runlog.run.being_written", is_killed)
    with Run.open(copy) as run:
        assert (run.count, run.about.lost, run.about.recovered) == (10, 20, True)
    assert not (copy / COUNT).exists()
    disk.room = 10**9
    recorder.close()


def test_rows_are_synced_each_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    sync = os.fsync

    def note(file: int) -> None:
        synced.append(os.fstat(file).st_size)
        sync(file)

    with Recorder.create(tmp_path / "run", TABLE, {}, MEASURED) as recorder:
        monkeypatch.setattr(os, "fsync", note)
        recorder.put(*tick(0))
        eventually(lambda: (recorder.folder / STREAM).stat().st_size in synced)
        monkeypatch.undo()
    assert FLUSH_S + SYNC_S < 1.0
