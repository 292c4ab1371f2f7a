from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from edge_bridge.edge import pending_rows as module
from edge_bridge.edge.outbox import Outbox
from edge_bridge.edge.row import RowKey
from tests.edge_bridge.edge.rows import BOOT, everything, gaps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOUNT, UNMOUNT = (shutil.which(name) or name for name in ("mount", "umount"))
ROOMY = {"Gate/Reason": "x" * 400}
HUGE = {"Gate/Reason": "x" * 40_000}  # more than an empty database has room for


def limited(outbox: Outbox, spare: int) -> None:
    """SQLite finds no more than `spare` pages, as on a full disk."""
    database = outbox._database  # pyright: ignore[reportPrivateUsage]
    database.execute("VACUUM")
    (count,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {count + spare}")


def filled(outbox: Outbox, rows: int, values: dict[str, str] = ROOMY) -> None:
    for number in range(rows):
        outbox.put({**values, "Pack/Current": float(number)}, number, 0.0)
        outbox.commit(number, 0.0)


def test_a_full_disk_evicts_the_oldest_rows_and_goes_on(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", BOOT)) as outbox:
        filled(outbox, 300)
        limited(outbox, 2)
        filled(outbox, 300)
        assert outbox.disk_error == ""
        assert outbox.evicted > 0
        rows = everything(outbox)
        produced = {RowKey(BOOT, seq) for seq in range(1, outbox.produced + 1)}
        assert gaps(rows) | {row.key for row in rows} == produced
        assert max(row.t_ms for row in rows) == 299


def test_a_disk_that_takes_nothing_is_told_and_rows_wait_in_memory(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", BOOT)) as outbox:
        limited(outbox, 0)
        filled(outbox, 50, HUGE)
        assert outbox.produced == outbox.stored + outbox.depth + outbox.evicted
        assert "rows cannot be written to the disk" in outbox.disk_error
        limited(outbox, 100_000)
        outbox.commit(0, 0.0)
        assert outbox.disk_error == ""
        rows = everything(outbox)
        assert gaps(rows) | {row.key for row in rows} == {RowKey(BOOT, seq) for seq in range(1, outbox.produced + 1)}
        assert sum("Pack/Current" in row.values for row in rows) + outbox.evicted == 50


def test_rows_that_memory_cannot_keep_either_are_named_once_the_disk_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING", 30)
    with closing(Outbox(tmp_path / "o.sqlite", BOOT)) as outbox:
        limited(outbox, 0)
        filled(outbox, 100, HUGE)
        assert outbox.produced == outbox.stored + outbox.depth + outbox.evicted
        assert outbox.depth <= 40
        limited(outbox, 100_000)
        outbox.commit(0, 0.0)
        rows = everything(outbox)
        assert outbox.evicted >= 60
        assert gaps(rows) | {row.key for row in rows} == {RowKey(BOOT, seq) for seq in range(1, outbox.produced + 1)}
        assert not gaps(rows) & {row.key for row in rows}


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of six megabytes."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux can make a disk small enough to fill")
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        [MOUNT, "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)], check=False, capture_output=True
    )
    if done.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield place
    finally:
        subprocess.run([UNMOUNT, "-l", str(place)], check=True)


def test_a_disk_that_really_is_full_loses_nothing_silently(tiny_disk: Path) -> None:
    with closing(Outbox(tiny_disk / "o.sqlite", BOOT)) as outbox:
        filled(outbox, 200)
        with contextlib.suppress(OSError), (tiny_disk / "somebody else's").open("wb", buffering=0) as other:
            while True:
                other.write(b"x" * 4096)
        filled(outbox, 4_000)
        assert outbox.evicted > 0
        assert outbox.disk_error == ""
        rows = outbox.due(10, 0.0)
        assert [row.t_ms for row in rows] == list(range(3_999, 3_989, -1))
        assert outbox.produced == outbox.stored + outbox.depth + outbox.evicted


def test_a_full_disk_that_is_freed_again_goes_back_to_keeping_everything(tiny_disk: Path) -> None:
    ballast = tiny_disk / "somebody else's"
    with closing(Outbox(tiny_disk / "o.sqlite", BOOT)) as outbox:
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as other:
            while True:
                other.write(b"x" * 4096)
        filled(outbox, 2_500)
        evicted = outbox.evicted
        assert evicted > 0
        ballast.unlink()
        filled(outbox, 300)
        assert outbox.evicted == evicted


def test_an_outbox_that_was_full_is_whole_after_a_restart(tiny_disk: Path) -> None:
    with closing(Outbox(tiny_disk / "o.sqlite", BOOT)) as outbox:
        with contextlib.suppress(OSError), (tiny_disk / "x").open("wb", buffering=0) as other:
            while True:
                other.write(b"x" * 4096)
        filled(outbox, 2_500)
        told = outbox.produced, outbox.depth, outbox.evicted
    with closing(Outbox(tiny_disk / "o.sqlite", "bb")) as after:
        assert after.notice == ""
        assert (after.produced, after.depth, after.evicted) == told
