from __future__ import annotations

import csv
import math
import os
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asammdf
import numpy as np
import pytest

from drivers.errors import RunLogError, Usage
from drivers.runlog.export import export_csv, export_mdf4, refuse_run_files
from drivers.runlog.recorder import Recorder
from drivers.runlog.run import Run
from drivers.snapshot import Channel, ChannelTable, Quality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Export = Callable[..., bool]

TABLE = ChannelTable(
    (
        Channel("cell_01/voltage", "V"),
        Channel("cell_02/voltage", "V"),
        Channel("bms/temperature_1", "K"),
        Channel("command/current", "A"),
    )
)
TICKS = 45


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Cells sampled at every tick, a temperature at every tenth and not at all in the first five ticks."""
    with Recorder.create(tmp_path / "run", TABLE, {}, 3) as recorder:
        for number in range(TICKS):
            t_s = 20.0 + 0.01 * number
            warm_s = np.nan if number < 5 else 20.0 + 0.1 * (number // 10)
            warm_k = np.nan if number < 5 else 290.0 + number // 10
            values = np.array([3.7 + number, 3.8 + number, warm_k, -5.0])
            recorder.put(t_s, values, np.array([t_s - 0.004, t_s - 0.004, warm_s]), np.zeros(3, np.uint8))
    with Run.open(tmp_path / "run") as opened:
        yield opened


def test_csv_holds_names_units_and_every_tick(run: Run, tmp_path: Path) -> None:
    assert export_csv(run, tmp_path / "run.csv")
    with (tmp_path / "run.csv").open(newline="") as file:
        names, units, *rows = csv.reader(file)
    assert names == ["t_s", *TABLE.names]
    assert units == ["s", "V", "V", "K", "A"]
    assert len(rows) == TICKS
    assert rows[0] == ["0", "3.7", "3.8", "", "-5"]
    assert [float(number) for number in rows[33]] == pytest.approx([0.33, 36.7, 36.8, 293.0, -5.0])


def test_a_name_that_a_spreadsheet_would_run_is_text_and_numbers_stay_numbers(tmp_path: Path) -> None:
    names = ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "plain")
    table = ChannelTable(tuple(Channel(name, "-") for name in names))
    with Recorder.create(tmp_path / "run", table, {}, 0) as recorder:
        recorder.put(1.0, np.full(len(names), -2.5), np.empty(0), np.empty(0, np.uint8))
    with Run.open(tmp_path / "run") as opened:
        export_csv(opened, tmp_path / "run.csv")
    with (tmp_path / "run.csv").open(newline="") as file:
        head, units, row = csv.reader(file)
    assert head == ["t_s", "'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\tx", "plain"]
    assert units == ["s", *["'-"] * len(names)]
    assert row == ["0", *["-2.5"] * len(names)]


def test_mdf4_holds_each_sample_once_at_its_own_time(run: Run, tmp_path: Path) -> None:
    assert export_mdf4(run, tmp_path / "run.mf4")
    with asammdf.MDF(tmp_path / "run.mf4") as file:
        cell, warm, asked = (signal(file, name) for name in ("cell_02/voltage", "bms/temperature_1", "command/current"))
        assert [cell.unit, warm.unit, asked.unit] == ["V", "K", "A"]
        np.testing.assert_allclose(cell.timestamps, 0.01 * np.arange(TICKS) - 0.004, atol=1e-12)
        np.testing.assert_allclose(cell.samples, 3.8 + np.arange(TICKS))
        np.testing.assert_allclose(warm.timestamps, [0.0, 0.1, 0.2, 0.3, 0.4], atol=1e-12)
        np.testing.assert_allclose(warm.samples, [290, 291, 292, 293, 294])
        np.testing.assert_allclose(asked.timestamps, 0.01 * np.arange(TICKS), atol=1e-12)
        assert len(file.groups) == 3


def test_mdf4_marks_what_must_not_be_believed_and_keeps_its_value(tmp_path: Path) -> None:
    with Recorder.create(tmp_path / "odd", TABLE, {}, 3) as recorder:
        for number, quality in enumerate([Quality.GOOD, Quality.STALE, Quality.MISSING, Quality.IMPLAUSIBLE]):
            values = np.array(
                [3.7 + number, math.nan if number == 1 else 3.8, 290.0, math.nan if number == 3 else -5.0]
            )
            recorder.put(0.01 * number, values, np.full(3, 0.01 * number), np.full(3, quality, np.uint8))
    with Run.open(tmp_path / "odd") as odd:
        export_mdf4(odd, tmp_path / "odd.mf4")
    with asammdf.MDF(tmp_path / "odd.mf4") as file:
        for name, believed in (
            ("cell_01/voltage", [True, True, False, False]),
            ("cell_02/voltage", [True, False, False, False]),
            ("command/current", [True, True, True, False]),
        ):
            all_of_it = file.get(name, ignore_invalidation_bits=True)
            assert np.array(all_of_it.invalidation_bits).tolist() == [not one for one in believed]
            assert len(signal(file, name).samples) == sum(believed)
        assert file.get("cell_01/voltage", ignore_invalidation_bits=True).samples.tolist() == [3.7, 4.7, 5.7, 6.7]


def test_csv_and_mdf4_give_back_the_recorded_numbers_exactly(run: Run, tmp_path: Path) -> None:
    block = run.block(0, run.count)
    export_csv(run, tmp_path / "run.csv")
    read = np.genfromtxt(tmp_path / "run.csv", delimiter=",", skip_header=2)
    np.testing.assert_array_equal(read[:, 0], block.t_s - run.start_s)
    np.testing.assert_array_equal(read[:, 1:], block.values.T)
    export_mdf4(run, tmp_path / "run.mf4")
    with asammdf.MDF(tmp_path / "run.mf4") as file:
        for column, name in enumerate(TABLE.names[:2]):
            np.testing.assert_array_equal(signal(file, name).samples, block.values[column])
            np.testing.assert_array_equal(signal(file, name).timestamps, block.sampled_s[column] - run.start_s)
        assert file.header.start_time == datetime.fromisoformat(run.about.started)


def signal(file: Any, name: str) -> Any:
    return file.get(name)


@pytest.mark.parametrize("export", [export_csv, export_mdf4])
def test_a_cancelled_export_leaves_nothing_behind(run: Run, tmp_path: Path, export: Export) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    assert not export(run, folder / "run.any", lambda _done: False)  # pyright: ignore[reportUnknownLambdaType]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("export", [export_csv, export_mdf4])
def test_progress_rises_to_one(run: Run, tmp_path: Path, export: Export) -> None:
    seen: list[float] = []

    def progress(done: float) -> bool:
        seen.append(done)
        return True

    export(run, tmp_path / "out", progress)
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)


@pytest.mark.parametrize("export", [export_csv, export_mdf4])
def test_a_place_that_cannot_be_written_is_refused_in_words(run: Run, tmp_path: Path, export: Export) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunLogError, match=r"out\.x cannot be written: File exists; free space there or name another"):
        export(run, tmp_path / "file" / "out.x")


@pytest.mark.parametrize("export", [export_csv, export_mdf4])
def test_a_run_without_ticks_is_exported(tmp_path: Path, export: Export) -> None:
    Recorder.create(tmp_path / "empty", TABLE, {}, 3).close()
    with Run.open(tmp_path / "empty") as empty:
        assert export(empty, tmp_path / "out.x")
    assert (tmp_path / "out.x").exists()


@pytest.mark.parametrize("export", [export_csv, export_mdf4])
@pytest.mark.parametrize("name", ["ticks.parquet", "run.json", "events.jsonl", "ticks.arrows"])
def test_an_export_onto_a_file_of_the_run_is_refused(run: Run, export: Export, name: str) -> None:
    before = {file.name: file.read_bytes() for file in run.folder.iterdir()}
    with pytest.raises(Usage):
        export(run, run.folder / "." / name)
    assert {file.name: file.read_bytes() for file in run.folder.iterdir()} == before


def test_an_export_through_a_link_to_a_recording_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(run.folder / "ticks.parquet")
    os.link(run.folder / "run.json", tmp_path / "hard.csv")
    for name in ("link.csv", "hard.csv"):
        with pytest.raises(Usage):
            export_csv(run, tmp_path / name)


def test_an_export_onto_a_file_of_another_run_is_refused(run: Run, tmp_path: Path) -> None:
    with Recorder.create(tmp_path / "other", TABLE, {}, 3):
        pass
    with pytest.raises(Usage):
        export_csv(run, tmp_path / "other" / "ticks.parquet")


def test_an_export_into_the_runs_folder_under_another_name_is_written(run: Run) -> None:
    assert export_csv(run, run.folder / "mine.csv")
    assert export_csv(run, run.folder / "mine.csv")  # again: it is no recording


@pytest.mark.parametrize("other", ["both.mf4", "./both.mf4", "link.mf4"])
def test_one_file_for_two_formats_is_refused(run: Run, tmp_path: Path, other: str) -> None:
    (tmp_path / "link.mf4").symlink_to(tmp_path / "both.mf4")
    with pytest.raises(Usage):
        refuse_run_files([tmp_path / "both.mf4", tmp_path / other], run.folder)


def test_a_link_is_written_through_not_replaced(run: Run, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    assert export_csv(run, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_bytes().startswith(b"t_s,")


def test_a_pipe_receives_the_csv_and_stays_a_pipe(run: Run, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    assert export_csv(run, pipe)
    reader.join()
    assert pipe.is_fifo()
    assert received[0].startswith(b"t_s,")


def test_a_full_device_is_an_error_and_stays_a_device(run: Run) -> None:
    with pytest.raises(RunLogError):
        export_csv(run, Path("/dev/full"))
    assert Path("/dev/full").is_char_device()
    with pytest.raises(Usage):
        export_mdf4(run, Path("/dev/full"))


def test_a_failed_export_keeps_the_file_of_before(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "run.csv"
    file.write_text("earlier")

    def fill_disk(_columns: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("drivers.runlog.export.csv_lines", fill_disk)
    with pytest.raises(RunLogError):
        export_csv(run, file)
    assert file.read_text() == "earlier"
    assert {path.name for path in tmp_path.iterdir()} == {"run.csv", "run"}
