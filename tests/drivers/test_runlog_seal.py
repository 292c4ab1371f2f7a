"""What becomes of a run whose recorder or sealer was killed, met another one, or left something else behind."""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from drivers.errors import RunLogError
from drivers.runlog.arrow import ParquetSink, RowBatch, StreamEncoder
from drivers.runlog.folder import ABOUT, COUNT, EVENTS, SCHEMA, SEALED, STREAM, RunInfo
from drivers.runlog.recorder import Recorder
from drivers.runlog.run import Run, StreamColumns
from tests.drivers.runs import MEASURED, META, TABLE, abandoned, assert_holds, eventually, happened, recorded, tick

if TYPE_CHECKING:
    from pathlib import Path


def record_until_killed(folder: Path, mark: Path) -> None:
    """100 Hz; the mark file holds the number of ticks put so far."""
    recorder = Recorder.create(folder, TABLE, META, MEASURED)
    recorder.event(happened("started"))
    draft = mark.with_suffix(".new")
    number = 0
    while True:
        recorder.put(*tick(number))
        number += 1
        draft.write_text(f"{number}")
        draft.replace(mark)  # who reads meanwhile sees a whole number
        time.sleep(0.01)  # fixed wait: the pace of its ticks


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_recording_loses_less_than_a_second_and_opens_again(tmp_path: Path) -> None:
    folder, mark = tmp_path / "run", tmp_path / "mark"
    process = multiprocessing.get_context("spawn").Process(target=record_until_killed, args=(folder, mark))
    process.start()
    eventually(lambda: mark.exists() and int(mark.read_text()) > 150)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    put = int(mark.read_text())
    assert not (folder / SEALED).exists()
    with Run.open(folder) as run:
        assert put - 100 < run.count <= put + 1
        assert_holds(run, run.count)
        assert (run.about.state, run.about.recovered) == ("sealed", True)
        assert run.events() == [happened("started")]
    assert not (folder / STREAM).exists()


def test_a_stream_damaged_in_its_middle_is_kept_beside_what_could_be_read(tmp_path: Path) -> None:
    folder = abandoned(tmp_path / "run", 20)
    encoder = StreamEncoder(len(TABLE), MEASURED)
    batches: list[bytes] = []
    for first in (0, 10, 20):
        t_s, values, sampled_s, quality = zip(*map(tick, range(first, first + 10)), strict=True)
        batches.append(encoder.message(RowBatch(*map(np.array, (t_s, values, sampled_s, quality)))))
    damaged = bytearray(batches[1])
    damaged[-200] ^= 0xFF
    (folder / STREAM).write_bytes(encoder.opening + batches[0] + damaged + batches[2])
    whole = (folder / STREAM).read_bytes()
    with Run.open(folder) as run:
        assert_holds(run, 10)
    assert (folder / f"{STREAM}.broken").read_bytes() == whole


@pytest.mark.parametrize("cut", [1, 7, 100, 600])
def test_a_stream_that_breaks_off_keeps_what_came_before(tmp_path: Path, cut: int) -> None:
    folder = abandoned(tmp_path / "run", 20)
    whole = (folder / STREAM).read_bytes()
    (folder / STREAM).write_bytes(whole + whole[-1500:][:cut])
    with Run.open(folder) as run:
        assert_holds(run, 20)


def test_a_run_that_was_sealed_but_not_marked_is_finished(tmp_path: Path) -> None:
    folder = abandoned(tmp_path / "run", 20)
    with Run.open(folder) as run:
        assert run.count == 20
    about = json.loads((folder / ABOUT).read_text())
    (folder / ABOUT).write_text(json.dumps(about | {"state": "open", "ticks": None}))
    (folder / STREAM).write_bytes(b"what was not yet removed")
    with Run.open(folder) as run:
        assert_holds(run, 20)
    assert not (folder / STREAM).exists()


@pytest.mark.parametrize("column", ["t_s", TABLE.names[0], f"{TABLE.names[0]}@t", f"{TABLE.names[0]}@q"])
def test_a_seal_that_does_not_read_back_bit_by_bit_keeps_the_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    folder = abandoned(tmp_path / "run", 20)
    write = ParquetSink.write

    def flip(sink: ParquetSink, columns: dict[str, Any]) -> None:
        wrong = columns[column].copy()
        wrong.view(np.uint8)[-1] ^= 1
        write(sink, columns | {column: wrong})

    monkeypatch.setattr(ParquetSink, "write", flip)
    with pytest.raises(RunLogError, match=f"{column} reads back other values than were recorded"):
        Run.open(folder)
    monkeypatch.undo()
    assert {path.name for path in folder.iterdir()} == {ABOUT, STREAM, EVENTS, COUNT}
    with Run.open(folder) as run:
        assert_holds(run, 20)


def seal_slowly(folder: Path, mark: Path) -> None:
    """Comes as far as the first group, then waits to be killed."""

    def dawdle(done: float) -> None:
        mark.write_text(f"{done}")
        time.sleep(60.0)  # fixed wait: until it is killed

    recorder = Recorder.create(folder, TABLE, META, MEASURED)
    for number in range(50):
        recorder.put(*tick(number))
    recorder.close(dawdle)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_seal_that_is_killed_loses_nothing_and_leaves_nothing_lying_about(tmp_path: Path) -> None:
    folder, mark = tmp_path / "run", tmp_path / "mark"
    process = multiprocessing.get_context("spawn").Process(target=seal_slowly, args=(folder, mark))
    process.start()
    eventually(mark.exists)
    process.kill()
    process.join()
    assert [path.suffix for path in folder.glob(f"{SEALED}*")] == [".part"]
    with Run.open(folder) as run:
        assert_holds(run, 50)
        assert run.about.recovered
    assert {path.name for path in folder.iterdir()} == {ABOUT, SEALED, EVENTS}


def count_of(folder: Path) -> tuple[int, str]:
    with Run.open(folder) as run:
        return run.count, run.about.state


def test_several_may_open_a_killed_run_at_once(tmp_path: Path) -> None:
    folders = [abandoned(tmp_path / f"{number}" / "run", 20) for number in range(10)]
    with multiprocessing.get_context("spawn").Pool(2) as processes, ThreadPoolExecutor(4) as threads:
        for folder in folders:
            elsewhere = [processes.apply_async(count_of, (folder,)) for _ in range(2)]
            here = [threads.submit(count_of, folder) for _ in range(4)]
            found = [one.get(30.0) for one in elsewhere] + [one.result(30.0) for one in here]
            assert found == [(20, "sealed")] * 6
            assert {path.name for path in folder.iterdir()} == {ABOUT, SEALED, EVENTS}


def test_a_run_that_is_sealed_between_two_looks_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = recorded(tmp_path / "run", 5, close=False)
    stream = StreamColumns

    def late(path: Path, about: RunInfo) -> StreamColumns:
        if path.exists():
            recorder.close()
        return stream(path, about)

    monkeypatch.setattr("drivers.runlog.run.StreamColumns", late)
    with Run.open(tmp_path / "run") as run:
        assert_holds(run, 5)


def test_a_killed_run_on_a_full_disk_opens_without_being_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = abandoned(tmp_path / "run", 20)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ParquetSink, "write", full)
    with Run.open(folder) as run:
        assert_holds(run, 20)
        assert run.about.state == "open"
    monkeypatch.undo()
    with Run.open(folder) as run:
        assert (run.count, run.about.state) == (20, "sealed")


def test_values_times_and_qualities_are_kept_bit_by_bit_through_the_seal(tmp_path: Path) -> None:
    odd = [-0.0, 5e-324, 1.7976931348623157e308, math.nan, math.inf, -math.inf, 0.1, 1 / 3]
    payload = np.frombuffer(np.uint64(0x7FF800000000BEEF).tobytes(), np.float64)[0]  # a NaN of another kind
    rows = [
        (float(n), np.full(len(TABLE), value), np.full(MEASURED, -value)) for n, value in enumerate([*odd, payload])
    ]
    recorder = Recorder.create(tmp_path / "run", TABLE, META, MEASURED)
    for n, (t_s, values, sampled_s) in enumerate(rows):
        recorder.put(t_s, values, sampled_s, np.full(MEASURED, n % 4, np.uint8))
    recorder.close()
    with Run.open(tmp_path / "run") as run:
        block = run.block(0, run.count)
        assert block.values.T.tobytes() == np.array([values for _, values, _ in rows]).tobytes()
        assert block.sampled_s.T.tobytes() == np.array([sampled_s for *_, sampled_s in rows]).tobytes()
        assert block.quality[0].tolist() == [n % 4 for n in range(len(rows))]


@pytest.mark.parametrize("name", [ABOUT, STREAM, SEALED])
@pytest.mark.parametrize("content", [b"", b"garbage", b"{}", b"[1]", b"\xff" * 5000, bytes(5000)])
def test_garbage_is_refused_in_words(tmp_path: Path, name: str, content: bytes) -> None:
    folder = tmp_path / "run"
    if name == STREAM:
        abandoned(folder, 5)
    else:
        recorded(folder, 5)
    (folder / name).write_bytes(content)
    with pytest.raises(RunLogError, match="run"):
        Run.open(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": "pulsebms.run/3"}, "written by another version.*reads 'pulsebms.run/2' and older; open it with"),
        ({"meta": []}, "its meta is not of type dict"),
        ({"writer": [1]}, "its writer is not of type dict"),
        ({"channels": None}, "its channels is not of type list"),
        ({"channels": [["cell_01/voltage"]]}, "cannot be read"),
        ({"measured": 1000}, "1000 of .* channels cannot be measured"),
        ({"measured": "all"}, "its measured is not of type int"),
        ({"started": "yesterday"}, "Invalid isoformat string: 'yesterday'"),
        ({"state": "half"}, "its state is 'half'"),
    ],
)
def test_a_run_json_that_says_something_else_is_refused_in_words(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    recorded(tmp_path / "run", 5)
    path = tmp_path / "run" / ABOUT
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(RunLogError, match=said):
        Run.open(tmp_path / "run")


def test_a_run_json_without_a_part_names_it(tmp_path: Path) -> None:
    recorded(tmp_path / "run", 5)
    path = tmp_path / "run" / ABOUT
    path.write_text(json.dumps({"schema": SCHEMA, "name": "run"}))
    with pytest.raises(RunLogError, match=r"run\.json cannot be read: it lacks channels, duration_s, .*; restore it"):
        Run.open(tmp_path / "run")


@pytest.mark.parametrize("missing", [ABOUT, SEALED])
def test_a_folder_that_lacks_a_file_is_refused_in_words(tmp_path: Path, missing: str) -> None:
    recorded(tmp_path / "run", 5)
    (tmp_path / "run" / missing).unlink()
    with pytest.raises(RunLogError, match=r"is not a run|contains no ticks"):
        Run.open(tmp_path / "run")
