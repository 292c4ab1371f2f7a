from __future__ import annotations

import multiprocessing
import os
import stat
import tempfile
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import BenchError
from drivers.ring import NEWEST, RingReader, RingWriter
from drivers.ring_files import PREFIX, ROOM, create, memory_folder, remove, sweep
from drivers.snapshot import Bytes, Channel, ChannelTable, Floats
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

CHANNELS, MEASURED = 5, 3
TABLE = ChannelTable(tuple(Channel(f"cell_{n:02d}/voltage", "V", 0.0, 5.5) for n in range(CHANNELS)))


@dataclass
class Model:
    """What a ring of `capacity` slots should hold, as a plain list of everything published."""

    capacity: int
    rows: list[tuple[float, Floats, Floats, Bytes]] = field(default_factory=list[tuple[float, Floats, Floats, Bytes]])

    @property
    def oldest(self) -> int:
        return max(len(self.rows) - self.capacity + 1, 0)


def row(number: int) -> tuple[float, Floats, Floats, Bytes]:
    values = np.arange(CHANNELS, dtype=np.float64) + 100 * number
    sampled_s = np.arange(MEASURED, dtype=np.float64) - number
    return number * 0.01, values, sampled_s, np.full(MEASURED, number % 4, np.uint8)


@given(steps=st.lists(st.integers(0, 25), max_size=12), behind=st.integers(0, 60), capacity=st.integers(9, 40))
@settings(deadline=None, max_examples=60)
def test_ring_agrees_with_a_plain_list(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], behind: int, capacity: int
) -> None:
    path = tmp_path_factory.mktemp("ring") / "ring"
    model = Model(capacity)
    with RingWriter.create(path, TABLE, MEASURED, capacity) as writer, RingReader.open(path) as reader:
        for step in steps:
            for _ in range(step):
                model.rows.append(row(len(model.rows)))
                writer.publish(*model.rows[-1])
            asked = max(len(model.rows) - behind, 0)
            block = reader.since(asked)
            expected = model.rows[max(asked, model.oldest) :]
            assert reader.count == len(model.rows) == block.following
            assert block.lost == max(model.oldest - asked, 0)
            assert block.t_s.tolist() == [t_s for t_s, *_ in expected]
            assert block.values.T.tolist() == [values.tolist() for _, values, *_ in expected]
            assert block.sampled_s.T.tolist() == [sampled.tolist() for *_, sampled, _ in expected]
            assert block.quality.T.tolist() == [quality.tolist() for *_, quality in expected]


@given(published=st.integers(0, 70), newest=st.integers(0, 80))
@settings(deadline=None, max_examples=30)
def test_window_gives_the_newest_rows_of_the_asked_columns(
    tmp_path_factory: pytest.TempPathFactory, published: int, newest: int
) -> None:
    path = tmp_path_factory.mktemp("ring") / "ring"
    with RingWriter.create(path, TABLE, MEASURED, 32) as writer, RingReader.open(path) as reader:
        for number in range(published):
            writer.publish(*row(number))
        t_s, values = reader.window(np.array([4, 1]), newest)
        expected = range(published - min(newest, published, 31), published)
        assert t_s.tolist() == [number * 0.01 for number in expected]
        assert values.T.tolist() == [[100.0 * number + 4, 100.0 * number + 1] for number in expected]


def test_latest_is_none_before_the_first_row(tmp_path: Path) -> None:
    with RingWriter.create(tmp_path / "ring", TABLE, MEASURED), RingReader.open(tmp_path / "ring") as reader:
        assert reader.latest() is None


def test_latest_is_the_newest_row_whole(tmp_path: Path) -> None:
    with RingWriter.create(tmp_path / "ring", TABLE, MEASURED) as writer, RingReader.open(tmp_path / "ring") as reader:
        for number in range(3 * NEWEST + 1):
            writer.publish(*row(number))
            t_s, values, sampled_s, quality = row(number)
            newest = reader.latest()
            assert newest is not None
            assert (newest.index, newest.t_s) == (number, t_s)
            assert newest.values.tolist() == values.tolist()
            assert newest.sampled_s.tolist() == sampled_s.tolist()
            assert newest.quality.tolist() == quality.tolist()


def test_reader_learns_the_table_from_the_file(tmp_path: Path) -> None:
    table = ChannelTable((Channel("loop/turn", "s"), *TABLE))
    with RingWriter.create(tmp_path / "ring", table, 0), RingReader.open(tmp_path / "ring") as reader:
        assert reader.table == table
        assert reader.measured == 0


def test_what_was_read_stays_after_the_ring_is_closed(tmp_path: Path) -> None:
    with RingWriter.create(tmp_path / "ring", TABLE, MEASURED) as writer, RingReader.open(tmp_path / "ring") as reader:
        writer.publish(*row(7))
        newest = reader.latest()
    assert newest is not None
    assert newest.values.tolist() == row(7)[1].tolist()


def test_a_new_epoch_begins_with_no_rows(tmp_path: Path) -> None:
    with RingWriter.create(tmp_path / "ring", TABLE, MEASURED) as writer, RingReader.open(tmp_path / "ring") as reader:
        for number in range(50):
            writer.publish(*row(number))
        before = reader.since(0)
        writer.restart()
        assert reader.latest() is None
        writer.publish(*row(3))
        block = reader.since(before.following)
        assert (before.epoch, block.epoch, reader.epoch) == (0, 1, 1)
        assert (block.following, block.lost) == (1, 0)
        assert reader.window(np.array([0]), 100)[1].tolist() == [[300.0]]


def test_a_writer_that_dies_within_a_row_leaves_all_rows_before_it_whole(tmp_path: Path) -> None:
    with (
        RingWriter.create(tmp_path / "ring", TABLE, MEASURED, 16) as writer,
        RingReader.open(tmp_path / "ring") as ring,
    ):
        for number in range(40):
            writer.publish(*row(number))
        t_s, values, sampled_s, _ = row(40)
        with pytest.raises(ValueError, match="broadcast"):
            writer.publish(t_s, values, sampled_s, np.zeros(MEASURED + 1, np.uint8))  # ends before it is counted
        newest, block = ring.latest(), ring.since(0)
        assert newest is not None
        assert (newest.index, newest.values.tolist()) == (39, row(39)[1].tolist())
        assert block.values.T.tolist() == [row(number)[1].tolist() for number in range(25, 40)]
        assert block.lost == 25


def test_a_ring_that_finds_no_room_is_refused_in_words_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(BenchError, match=r"ring has no space for a ring of \d MB: No space left on device; free space"):
        RingWriter.create(tmp_path / "ring", TABLE, MEASURED)
    assert list(tmp_path.iterdir()) == []


def test_a_small_memory_folder_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def usage(_: object) -> SimpleNamespace:
        return SimpleNamespace(free=ROOM - 1)

    monkeypatch.setattr("shutil.disk_usage", usage)
    assert str(memory_folder()) == tempfile.gettempdir()


def test_a_ring_is_never_made_over_another(tmp_path: Path) -> None:
    with RingWriter.create(tmp_path / "ring", TABLE, MEASURED), pytest.raises(FileExistsError):
        RingWriter.create(tmp_path / "ring", TABLE, MEASURED)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PULSRNG1" + b"\xff" * 300, bytes(100_000)])
def test_another_file_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(BenchError, match="other is not a snapshot ring"):
        RingReader.open(path)


def test_a_missing_file_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="start the session that owns it"):
        RingReader.open(tmp_path / "absent")


def publish_rows_of_one_number(path: Path, rows: int) -> None:
    """Every entry of row i is i: a reader that sees two numbers in one row saw it torn."""
    table = ChannelTable(tuple(Channel(f"c{n}", "1") for n in range(400)))
    with RingWriter.create(path, table, 100, 16) as writer:
        wait_until(path.with_suffix(".go").exists, every_s=0.001)
        for number in range(rows):
            writer.publish(
                number, np.full(400, 1.0 * number), np.full(100, 1.0 * number), np.full(100, number % 251, np.uint8)
            )


def test_rows_read_from_another_process_are_never_torn() -> None:
    path = memory_folder() / f"pulsebms-test-ring-{time.monotonic_ns()}"
    rows = 60_000
    process = multiprocessing.get_context("spawn").Process(target=publish_rows_of_one_number, args=(path, rows))
    process.start()
    try:
        reader = _opened(path)
        with reader:
            path.with_suffix(".go").touch()
            seen, at, lost = 0, 0, 0
            while at < rows:
                newest = reader.latest()
                if newest is None:
                    continue
                assert {*newest.values, *newest.sampled_s, newest.t_s} == {newest.index}
                assert set(newest.quality) == {newest.index % 251}
                block = reader.since(at)
                numbers = np.arange(block.first, block.following)
                assert (block.values == numbers).all()
                assert (block.sampled_s == numbers).all()
                assert (block.quality == numbers % 251).all()
                seen, at, lost = seen + len(numbers), block.following, lost + block.lost
            assert seen + lost == rows
            assert seen > 0
            assert lost > 0, "the writer never lapped the reader, so nothing could have been torn"
    finally:
        process.join(30)
        path.unlink(missing_ok=True)
        path.with_suffix(".go").unlink(missing_ok=True)


def _opened(path: Path) -> RingReader:
    def opened() -> RingReader | None:
        try:
            return RingReader.open(path)
        except BenchError:
            return None

    return wait_until(opened, what="the other process's ring")


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a mapped file cannot be removed")
def test_the_ring_of_a_dead_writer_is_removed_and_that_of_a_living_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / f"{PREFIX}alive"
    with RingWriter.create(path, TABLE, MEASURED):
        remove(path)
        assert path.exists()
    path.touch()
    for _ in range(2):
        remove(path)
        assert not path.exists()


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a mapped file cannot be removed")
def test_what_a_killed_writer_left_is_swept_and_a_living_ring_is_not(tmp_path: Path) -> None:
    with RingWriter.create(tmp_path / f"{PREFIX}alive", TABLE, MEASURED):
        RingWriter.create(tmp_path / f"{PREFIX}dead", TABLE, MEASURED).close()
        (tmp_path / "of somebody else").touch()
        sweep(tmp_path)
        assert len(list(tmp_path.iterdir())) == 3, "a young file may be about to be held"
        sweep(tmp_path, young_s=-1.0)
        assert {path.name for path in tmp_path.iterdir()} == {f"{PREFIX}alive", "of somebody else"}


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a mapped file cannot be removed")
def test_sweep_leaves_files_of_others_whose_names_begin_alike(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}notes.txt").write_text("not a ring")
    (tmp_path / f"{PREFIX}{'0' * 32}").touch()
    (tmp_path / f"{PREFIX}folder").mkdir()
    RingWriter.create(tmp_path / "ring elsewhere", TABLE, MEASURED).close()
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "ring elsewhere")
    os.mkfifo(tmp_path / f"{PREFIX}pipe")
    before = set(tmp_path.iterdir())
    sweep(tmp_path, young_s=-1.0)
    assert set(tmp_path.iterdir()) == before


@pytest.mark.skipif(os.name != "posix", reason="elsewhere there are no owners of this kind")
def test_sweep_leaves_the_ring_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    RingWriter.create(tmp_path / f"{PREFIX}theirs", TABLE, MEASURED).close()
    own = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: own + 1)
    sweep(tmp_path, young_s=-1.0)
    assert (tmp_path / f"{PREFIX}theirs").exists()


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a mapped file cannot be removed")
def test_a_ring_whose_maker_was_killed_is_swept(tmp_path: Path) -> None:
    create(tmp_path / f"{PREFIX}half").close()
    sweep(tmp_path, young_s=-1.0)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="elsewhere there are no modes of this kind")
def test_a_ring_is_for_its_user_alone(tmp_path: Path) -> None:
    with RingWriter.create(tmp_path / "ring", TABLE, MEASURED):
        assert stat.S_IMODE((tmp_path / "ring").stat().st_mode) == 0o600
