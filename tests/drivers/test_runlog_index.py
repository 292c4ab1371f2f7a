from __future__ import annotations

import json
import sqlite3
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.runlog.folder import ABOUT
from drivers.runlog.index import INDEX, RunIndex
from drivers.runlog.recorder import Recorder
from drivers.runlog.run import Run
from drivers.snapshot import Channel, ChannelTable

if TYPE_CHECKING:
    from pathlib import Path

TABLE = ChannelTable((Channel("cell_01/voltage", "V"),))
META = {"evidence": "SIM", "bench": {"name": "hil24"}}


def begun(runs: Path, name: str, ticks: int = 11) -> Recorder:
    recorder = Recorder.create(runs / name, TABLE, META, 1)
    for number in range(ticks):
        recorder.put(number / 10, np.array([3.7]), np.array([0.0]), np.array([0], np.uint8))
    return recorder


def rewritten(runs: Path, name: str, **changes: object) -> None:
    path = runs / name / ABOUT
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def states(runs: Path) -> dict[str, str]:
    return {row.name: row.state for row in RunIndex(runs).rows()}


def test_a_sealed_run_is_listed_with_what_it_holds(tmp_path: Path) -> None:
    begun(tmp_path, "first").close()
    (row,) = RunIndex(tmp_path).rows()
    assert (row.name, row.state, row.ticks, row.evidence, row.bench) == ("first", "sealed", 11, "SIM", "hil24")
    assert row.duration_s == pytest.approx(1.0)
    assert row.size_bytes == sum(file.stat().st_size for file in (tmp_path / "first").iterdir())


def test_each_state_of_a_run_is_told_apart(tmp_path: Path) -> None:
    for name in ("sealed", "killed", "damaged"):
        begun(tmp_path, name).close()
    rewritten(tmp_path, "killed", state="open", writer={"pid": 1, "born": 1.0})
    (tmp_path / "damaged" / ABOUT).write_text("{")
    recorder = begun(tmp_path, "recording")
    assert states(tmp_path) == {
        "recording": "recording",
        "sealed": "sealed",
        "killed": "killed",
        "damaged": "damaged",
    }
    recorder.close()
    Run.open(tmp_path / "killed").close()
    assert states(tmp_path)["recording"] == "sealed"
    assert states(tmp_path)["killed"] == "recovered"


def test_a_damaged_run_says_why(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / ABOUT).write_text("{}")
    (row,) = RunIndex(tmp_path).rows()
    assert "cannot be read" in row.detail


def test_the_newest_run_stands_first_and_a_deleted_one_is_gone(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        begun(tmp_path, name).close()
    for name, started in (("b", "2030-01-01"), ("a", "2030-01-03"), ("c", "2030-01-02")):
        rewritten(tmp_path, name, started=started)
    assert list(states(tmp_path)) == ["a", "c", "b"]
    for file in (tmp_path / "c").iterdir():
        file.unlink()
    assert list(states(tmp_path)) == ["a", "b"]


def test_what_did_not_change_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(tmp_path, "first").close()
    before = RunIndex(tmp_path).rows()
    monkeypatch.setattr("drivers.runlog.index.load", None)
    assert RunIndex(tmp_path).rows() == before


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000])
def test_a_damaged_index_is_built_again(tmp_path: Path, content: bytes) -> None:
    begun(tmp_path, "first").close()
    RunIndex(tmp_path).rows()
    (tmp_path / INDEX).write_bytes(content)
    assert states(tmp_path) == {"first": "sealed"}


def test_an_index_that_cannot_be_written_does_not_hide_the_runs(tmp_path: Path) -> None:
    begun(tmp_path, "first").close()
    (tmp_path / INDEX).mkdir()
    assert states(tmp_path) == {"first": "sealed"}


def test_an_absent_folder_holds_no_runs(tmp_path: Path) -> None:
    assert RunIndex(tmp_path / "absent").rows() == []


@pytest.mark.timed
def test_an_index_that_somebody_else_has_locked_neither_holds_up_the_list_nor_is_lost(tmp_path: Path) -> None:
    begun(tmp_path, "first").close()
    RunIndex(tmp_path).rows()
    begun(tmp_path, "second").close()
    other = sqlite3.connect(tmp_path / INDEX, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    asked_s = time.monotonic()
    assert states(tmp_path) == {"first": "sealed", "second": "sealed"}
    assert time.monotonic() - asked_s < 2.0
    other.execute("ROLLBACK")
    other.close()
    assert (tmp_path / INDEX).exists()


def test_a_run_in_progress_leaves_the_numbers_of_the_others_numbers(tmp_path: Path) -> None:
    recording = begun(tmp_path, "recording")
    RunIndex(tmp_path).rows()  # the first list that is stored knows neither ticks nor duration
    begun(tmp_path, "sealed").close()
    for _ in range(2):  # read from the folders, then from the index
        rows = {row.name: row for row in RunIndex(tmp_path).rows()}
        assert type(rows["sealed"].ticks) is int
        assert type(rows["sealed"].duration_s) is float
    recording.close()


def test_an_index_of_the_version_before_is_replaced(tmp_path: Path) -> None:
    begun(tmp_path, "first").close()
    with sqlite3.connect(tmp_path / INDEX) as old:
        old.execute("CREATE TABLE runs_1 (name TEXT, state TEXT, size_bytes INTEGER, stamp TEXT, ticks TEXT)")
        old.execute("INSERT INTO runs_1 VALUES ('first', 'sealed', 10, '', '11')")
    old.close()
    assert RunIndex(tmp_path).rows()[0].ticks == 11
    with sqlite3.connect(tmp_path / INDEX) as new:
        assert [name for (name,) in new.execute("SELECT name FROM sqlite_master WHERE type = 'table'")] == ["runs_2"]
    new.close()


@pytest.mark.parametrize(("column", "value"), [("ticks", "eleven"), ("duration_s", "1,0"), ("size_bytes", None)])
def test_a_value_of_another_type_in_the_index_is_read_again(tmp_path: Path, column: str, value: object) -> None:
    begun(tmp_path, "first").close()
    before = RunIndex(tmp_path).rows()
    with sqlite3.connect(tmp_path / INDEX) as other:
        other.execute(f"UPDATE runs_2 SET {column} = ?", (value,))  # noqa: S608  # the test's own words
    other.close()
    assert RunIndex(tmp_path).rows() == before


@pytest.mark.parametrize("changes", [{"ticks": "11"}, {"duration_s": [1]}, {"lost": "none"}])
def test_a_run_file_with_a_value_of_another_type_is_damaged(tmp_path: Path, changes: dict[str, object]) -> None:
    begun(tmp_path, "first").close()
    rewritten(tmp_path, "first", **changes)
    assert states(tmp_path) == {"first": "damaged"}


def test_an_evidence_class_that_is_no_text_does_not_hide_the_runs(tmp_path: Path) -> None:
    Recorder.create(tmp_path / "odd", TABLE, {"evidence": ["SIM"], "bench": 7}, 1).close()
    assert states(tmp_path) == {"odd": "sealed"}
