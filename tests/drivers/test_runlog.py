from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from drivers.benchfile import read_bench
from drivers.errors import RunLogError
from drivers.event import DETAIL, Event, EventKind, EventRecord, Level
from drivers.runlog.events import event_line
from drivers.runlog.folder import ABOUT, EVENTS, SEALED, WITHOUT_EVENT_DATA, describe
from drivers.runlog.recorder import Recorder
from drivers.runlog.run import Run, TickGap
from tests.drivers.damages import DAMAGES, damage
from tests.drivers.runs import MEASURED, META, TABLE, assert_holds, eventually, happened, recorded, tick


def test_a_sealed_run_holds_every_tick(tmp_path: Path) -> None:
    recorded(tmp_path / "run", 500)
    with Run.open(tmp_path / "run") as run:
        assert_holds(run, 500)
        assert (run.table, run.measured, run.meta) == (TABLE, MEASURED, META)
        assert (run.about.state, run.about.ticks, run.about.lost, run.about.recovered) == ("sealed", 500, 0, False)
        assert run.duration_s == pytest.approx(4.99)
    assert sorted(file.name for file in (tmp_path / "run").iterdir()) == [EVENTS, ABOUT, SEALED]


def test_a_run_opens_while_it_is_recorded(tmp_path: Path) -> None:
    recorder = recorded(tmp_path / "run", 30, close=False)
    eventually(lambda: recorder.written == 30)
    with Run.open(tmp_path / "run") as run:
        assert run.about.state == "open"
        assert_holds(run, 30)
    recorder.close()


def test_columns_are_cut_to_the_asked_time(tmp_path: Path) -> None:
    recorded(tmp_path / "run", 300)
    with Run.open(tmp_path / "run") as run:
        cut = run.columns(["cell_03/voltage", "cell_00/voltage@t", "cell_00/voltage@q"], 50.995, 51.025)
    assert cut["t_s"].tolist() == [tick(number)[0] for number in (100, 101, 102)]
    assert cut["cell_03/voltage"].tolist() == [103, 104, 105]
    assert cut["cell_00/voltage@t"].tolist() == [tick(number)[2][0] for number in (100, 101, 102)]
    assert cut["cell_00/voltage@q"].tolist() == [0, 1, 2]


def test_a_cut_may_cross_the_seam_of_two_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.runlog.seal.group_batches.__defaults__", (7,))
    recorder = Recorder.create(tmp_path / "run", TABLE, META, MEASURED)
    for number in range(40):
        recorder.put(*tick(number))
        if number % 10 == 9:
            recorder.event(happened("woken", number))  # wakes the writer
            eventually(lambda number=number: recorder.written == number + 1)
    recorder.close()
    with Run.open(tmp_path / "run") as run:
        assert_holds(run, 40)
        for first, last in ((0, 0), (9, 10), (9, 11), (3, 37), (39, 40)):
            assert run.block(first, last).t_s.tolist() == [tick(number)[0] for number in range(first, last)]


def test_an_unknown_column_is_refused_by_name(tmp_path: Path) -> None:
    recorded(tmp_path / "run", 3)
    with Run.open(tmp_path / "run") as run, pytest.raises(RunLogError, match="has no column cell_99/voltage"):
        run.columns(["cell_99/voltage"])


def test_a_run_without_ticks_opens(tmp_path: Path) -> None:
    recorded(tmp_path / "run", 0)
    with Run.open(tmp_path / "run") as run:
        assert (run.count, run.duration_s, run.gaps()) == (0, 0.0, [])
        assert np.isnan(run.start_s)
        assert run.columns(["cell_00/voltage"])["cell_00/voltage"].size == 0


def test_a_bench_without_measured_channels_is_recorded(tmp_path: Path) -> None:
    with Recorder.create(tmp_path / "run", TABLE, META, 0) as recorder:
        recorder.put(1.0, np.arange(6.0), np.empty(0), np.empty(0, np.uint8))
    with Run.open(tmp_path / "run") as run:
        assert run.block(0, 1).values[:, 0].tolist() == [0, 1, 2, 3, 4, 5]


def test_gaps_are_stretches_without_ticks(tmp_path: Path) -> None:
    with Recorder.create(tmp_path / "run", TABLE, META, MEASURED) as recorder:
        for number in [*range(20), *range(50, 60)]:
            recorder.put(*tick(number))
    with Run.open(tmp_path / "run") as run:
        assert run.gaps() == [TickGap(tick(19)[0], tick(50)[0])]
        assert run.gaps(longer_s=1.0) == []


def test_an_event_is_on_disk_at_once(tmp_path: Path) -> None:
    recorder = recorded(tmp_path / "run", 1, close=False)
    recorder.event(
        EventRecord(0, 50.0, 1.8e9, Event(Level.WARNING, "gate", "late", {"detail": "more", "kind": "held"}))
    )
    line = {
        "t_s": 50.0, "wall_s": 1.8e9, "level": "warning", "where": "gate", "sentence": "late", "detail": "more",
        "data": {"kind": "held"},
    }  # fmt: skip
    eventually(lambda: (tmp_path / "run" / EVENTS).read_text() == json.dumps(line) + "\n")
    recorder.close()


def test_an_unfinished_last_event_is_left_out(tmp_path: Path) -> None:
    with Recorder.create(tmp_path / "run", TABLE, META, MEASURED) as recorder:
        recorder.event(happened("armed"))
    with (tmp_path / "run" / EVENTS).open("a") as file:
        file.write('{"sentence": "tri')
    with Run.open(tmp_path / "run") as run:
        assert run.events() == [happened("armed")]


def test_a_run_carries_the_bench_file_as_it_stood(tmp_path: Path) -> None:
    bench = read_bench(Path(__file__).parents[2] / "fixtures" / "benches" / "hil24.toml")
    Recorder.create(tmp_path / "run", TABLE, describe(bench, "SIM"), MEASURED).close()
    with Run.open(tmp_path / "run") as run:
        assert run.meta["bench"]["text"] == bench.path.read_text(encoding="utf-8")
        assert run.meta["bench"]["name"] == "hil24"
        assert run.meta["evidence"] == "SIM"
        assert run.meta["versions"]["numpy"] == np.__version__


def test_the_same_folder_is_refused(tmp_path: Path) -> None:
    recorder = recorded(tmp_path / "run", 5, close=False)
    with pytest.raises(RunLogError, match="already contains a run"):
        Recorder.create(tmp_path / "run", TABLE, META, MEASURED)
    recorder.close()
    with Run.open(tmp_path / "run") as run:
        assert run.count == 5


def test_two_recorders_write_side_by_side(tmp_path: Path) -> None:
    one, two = (Recorder.create(tmp_path / name, TABLE, META, MEASURED) for name in ("one", "two"))
    for number in range(100):
        one.put(*tick(number))
        if number < 50:
            two.put(*tick(number))
    one.close()
    two.close()
    for name, ticks in (("one", 100), ("two", 50)):
        with Run.open(tmp_path / name) as run:
            assert_holds(run, ticks)


def test_a_folder_that_cannot_be_made_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunLogError, match=r"file/run cannot be written: .*; name a folder that can be written"):
        Recorder.create(tmp_path / "file" / "run", TABLE, META, MEASURED)


@pytest.mark.parametrize("damaged", [b"\0" * 40 + b"\n", b"[]\n", b'{"torn\n', b"[" * 100_000 + b"\n"])
def test_an_event_that_cannot_be_read_is_told_as_lost(tmp_path: Path, damaged: bytes) -> None:
    with Recorder.create(tmp_path / "run", TABLE, META, MEASURED) as recorder:
        recorder.event(happened("armed"))
    with (tmp_path / "run" / EVENTS).open("ab") as file:
        file.write(damaged + event_line(happened("tripped")))
    with Run.open(tmp_path / "run") as run:
        first, lost, last = run.events()
    assert (first, last) == (happened("armed"), happened("tripped", 2))
    assert (lost.number, lost.event.level) == (1, Level.ALARM)
    assert "line 2 of events.jsonl cannot be read" in lost.event.text


def test_events_come_back_with_their_data(tmp_path: Path) -> None:
    data = {"kind": EventKind.LANE_ACTIVE, "role": "twin", "lane": "DFN", "step": 0.5, "turns": 3, DETAIL: "more"}
    record = EventRecord(0, 50.0, 1.8e9, Event(Level.WARNING, "loop", "twin DFN is active", data))
    with Recorder.create(tmp_path / "run", TABLE, META, MEASURED) as recorder:
        recorder.event(record)
    with Run.open(tmp_path / "run") as run:
        assert run.events() == [record]


def test_a_run_of_the_first_version_says_in_words_which_lane_became_active(tmp_path: Path) -> None:
    Recorder.create(tmp_path / "run", TABLE, META, MEASURED).close()
    about = tmp_path / "run" / ABOUT
    about.write_text(json.dumps(json.loads(about.read_text()) | {"schema": WITHOUT_EVENT_DATA}))
    texts = ("estimator a lane is active", "tripped: the chain is active", "")
    lines = [
        json.dumps({"t_s": 50.0, "wall_s": 1.8e9, "level": "info", "where": "loop", "sentence": text, "detail": "more"})
        for text in texts
    ]
    (tmp_path / "run" / EVENTS).write_text("".join(f"{line}\n" for line in lines))
    with Run.open(tmp_path / "run") as run:
        events = [record.event for record in run.events()]
    assert [event.text for event in events] == list(texts)
    assert events[0].data == {"kind": EventKind.LANE_ACTIVE, "role": "estimator", "lane": "a lane", DETAIL: "more"}
    assert [(event.kind, event.detail) for event in events[1:]] == [("", "more")] * 2


@pytest.mark.parametrize(
    "line",
    [
        '{"level": "dreadful", "t_s": "soon", "wall_s": null, "sentence": 3, "data": {"kind": ["held"]}}',
        '{"sentence": "3", "data": "held"}',
    ],
)
def test_an_event_that_says_odd_things_is_still_an_event(tmp_path: Path, line: str) -> None:
    recorded(tmp_path / "run", 5)
    (tmp_path / "run" / EVENTS).write_text(f"{line}\n")
    with Run.open(tmp_path / "run") as run:
        assert run.events() == [EventRecord(0, run.start_s, 0.0, Event(Level.INFO, "", "3"))]


@pytest.mark.parametrize("how", ["zeros", "folder"])
def test_events_that_are_gone_are_told_as_lost(tmp_path: Path, how: str) -> None:
    Recorder.create(tmp_path / "run", TABLE, META, MEASURED).close()
    damage(tmp_path / "run" / EVENTS, how)
    with Run.open(tmp_path / "run") as run:
        (lost,) = run.events()
    assert (lost.event.level, "the events in it are lost" in lost.event.text) == (Level.ALARM, True)


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_description_is_not_the_absence_of_a_run(tmp_path: Path, how: str) -> None:
    Recorder.create(tmp_path / "run", TABLE, META, MEASURED).close()
    damage(tmp_path / "run" / "run.json", how)
    with pytest.raises(RunLogError, match="cannot be read"):
        Run.open(tmp_path / "run")
